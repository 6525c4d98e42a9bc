"""What the application carries for its views."""

from collections.abc import Callable

from aiohttp import web

from gateway.api.admission import Admission
from gateway.api.drain import Drain
from gateway.api.readiness import Prober
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.spans import Spans
from gateway.upstream.backend import Backend
from gateway.upstream.classifier import Classifier

SETTINGS = web.AppKey("settings", Settings)
ADMISSION = web.AppKey("admission", Admission)
BACKEND = web.AppKey("backend", Backend)
CLASSIFIER = web.AppKey("classifier", Classifier)
METRICS = web.AppKey("metrics", Metrics)
# None where nobody asks for traces.
SPANS: web.AppKey[Spans | None] = web.AppKey("spans")
DRAIN = web.AppKey("drain", Drain)
# How many requests run now.
RUNNING: web.AppKey[Callable[[], int]] = web.AppKey("running")
PROBER = web.AppKey("prober", Prober)
