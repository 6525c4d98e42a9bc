"""What the application carries for its views."""

from aiohttp import web

from gateway.admission import Admission
from gateway.backend import Backend
from gateway.classifier import Classifier
from gateway.drain import Drain
from gateway.metrics import Metrics
from gateway.readiness import Prober
from gateway.settings import Settings
from gateway.spans import Spans

SETTINGS = web.AppKey("settings", Settings)
ADMISSION = web.AppKey("admission", Admission)
BACKEND = web.AppKey("backend", Backend)
CLASSIFIER = web.AppKey("classifier", Classifier)
METRICS = web.AppKey("metrics", Metrics)
# None where nobody asks for traces.
SPANS: web.AppKey[Spans | None] = web.AppKey("spans")
DRAIN = web.AppKey("drain", Drain)
PROBER = web.AppKey("prober", Prober)
