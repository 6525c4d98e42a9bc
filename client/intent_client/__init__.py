"""A small asynchronous client of the gateway, without TensorFlow.

    async with Client("http://localhost:5000", key="...") as client:
        prediction = await client.predict("How long do I boil the pasta?", role="student", top_k=3)
        print(prediction.intent, prediction.score)

On the command line: `python -m intent_client --help`. More in docs/client.md.
"""

from intent_client.client import Client
from intent_client.errors import (
    AnswerError,
    BadAnswerError,
    ClientError,
    UnreachableError,
    UsageError,
)
from intent_client.results import Intents, Models, Prediction, Score, Timing, Version
from intent_client.turns import Role, Turn

__all__ = [
    "AnswerError",
    "BadAnswerError",
    "Client",
    "ClientError",
    "Intents",
    "Models",
    "Prediction",
    "Role",
    "Score",
    "Timing",
    "Turn",
    "UnreachableError",
    "UsageError",
    "Version",
]
