"""What the gateway answers, as typed and frozen structs. Fields that a newer gateway adds are ignored."""

import msgspec


class Score(msgspec.Struct, frozen=True):
    """One intent and its probability, 0 to 1."""

    intent: str
    score: float


class Timing(msgspec.Struct, frozen=True):
    """Where the time of one request went, in milliseconds, as the gateway measured it."""

    queue: float
    """Waiting for its turn in the gateway."""
    model: float
    """The call to the model server."""
    gateway: float
    """The gateway's own work."""
    total: float


class Prediction(msgspec.Struct, frozen=True):
    """The intent of one text."""

    intent: str | None
    """None when the gateway abstained."""
    abstained: bool
    """Whether `score` is below the threshold."""
    score: float
    """The highest probability, 0 to 1."""
    intents: tuple[Score, ...]
    """The best first, as many as `top_k` asked for."""
    model: str
    version: int
    """Of the model that answered."""
    request_id: str
    timing_ms: Timing


class Intents(msgspec.Struct, frozen=True):
    """The intents of one model version, in the order of their label indices."""

    model: str
    version: int
    intents: tuple[str, ...]


class Version(msgspec.Struct, frozen=True):
    """One version that the model server knows, loaded or not."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error: str | None = None
    """Name of a gRPC status: why the version could not be loaded."""
    labels: tuple[str, ...] = ()


class Models(msgspec.Struct, frozen=True):
    """The versions of the gateway's model."""

    name: str
    default_label: str | None
    versions: tuple[Version, ...]
