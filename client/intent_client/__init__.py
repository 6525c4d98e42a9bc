"""Client of the intent service's gateway: `Client` to call, `AsyncClient` to await; more in docs/client.md.

with Client("http://localhost:5000", key="...") as client:
    prediction = client.predict("How long do I boil the pasta?", role="student", top_k=3)
    print(prediction.intent, prediction.score)
"""

from intent_client.answers import Intents, Models, Prediction, Role, Score, Timing, Turn, Version
from intent_client.async_client import AsyncClient
from intent_client.client import Client
from intent_client.errors import AnswerError, BadAnswerError, ClientError, UnreachableError, UsageError

__all__ = [
    "AnswerError",
    "AsyncClient",
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
