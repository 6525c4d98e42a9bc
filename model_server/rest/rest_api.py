"""The REST API: answers a method, a path and a body with a status and JSON."""

import logging
import time
from dataclasses import dataclass

from tensorflow_serving.apis import classification_pb2, model_pb2, regression_pb2

from model_server.command_line import Options
from model_server.errors import Code, StatusError, invalid_argument
from model_server.inference import metadata
from model_server.inference.classify import classify
from model_server.inference.regress import regress
from model_server.metrics import metrics
from model_server.rest import rest_answers, rest_examples, rest_pages, rest_paths
from model_server.rest.json_writer import error_page
from model_server.rest.rest_predict import predict
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)

_HTTP_STATUS = {
    Code.OK: 200,
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INTERNAL: 500,
    Code.DATA_LOSS: 500,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}


@dataclass(frozen=True)
class Reply:
    """An HTTP status and a JSON body."""

    status: int
    body: bytes


class RestApi:
    """Answers every path below /v1/. Thread-safe."""

    def __init__(self, core: ServerCore, options: Options) -> None:
        self._core = core
        self._timeout = max(0, options.rest_api_timeout_in_ms) / 1000 or None

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        """The answer to a request other than OPTIONS; never raises."""
        start = time.perf_counter()
        spec, api, code = model_pb2.ModelSpec(), "", Code.OK
        try:
            target = rest_paths.read(method, path)
            spec, api = target.spec, target.action if method == "POST" else ""
            text = self._perform(method, path, target, body)
        except StatusError as error:
            code, text = error.code, error_page(error.message)
        except Exception as error:
            # No client may break the listener.
            _log.exception("%s %s", method, path)
            code, text = Code.INTERNAL, error_page(f"{type(error).__name__}: {error}")
        metrics.record_request(spec.name, api, "REST", code, time.perf_counter() - start)
        return Reply(_HTTP_STATUS[code], text.encode(errors="surrogateescape"))

    def preflight(self, origin: str) -> int:
        """The HTTP status of the answer to OPTIONS, which has no body; `origin` is the header of that name."""
        is_good = "http://" in origin or "https://" in origin
        code = Code.OK if is_good else Code.FAILED_PRECONDITION
        metrics.record_request("", "", "REST", code, 0.0)
        return _HTTP_STATUS[code]

    def _perform(self, method: str, path: str, target: rest_paths.Target, body: bytes) -> str:
        if method == "GET":
            if not target.spec.name:
                raise invalid_argument("Missing model name in request.")
            if target.action == "metadata":
                return self._metadata(target.spec)
            return rest_pages.status_page(self._core.status(target.spec))
        if target.action == "predict":
            return predict(self._core, target.spec, body, self._timeout)
        if target.action == "classify":
            return self._classify(target.spec, body)
        if target.action == "regress":
            return self._regress(target.spec, body)
        raise invalid_argument(f"Malformed request: {method} {path}")

    def _metadata(self, spec: model_pb2.ModelSpec) -> str:
        with self._core.acquire(spec) as servable:
            return rest_pages.metadata_page(metadata.describe(servable, spec.name))

    def _classify(self, spec: model_pb2.ModelSpec, body: bytes) -> str:
        spec.signature_name, examples = rest_examples.read(body)
        with self._core.acquire(spec) as servable:
            request = classification_pb2.ClassificationRequest(model_spec=spec, input=examples)
            return rest_answers.classifications(classify(servable, request, self._timeout).result)

    def _regress(self, spec: model_pb2.ModelSpec, body: bytes) -> str:
        spec.signature_name, examples = rest_examples.read(body)
        with self._core.acquire(spec) as servable:
            request = regression_pb2.RegressionRequest(model_spec=spec, input=examples)
            return rest_answers.regressions(regress(servable, request, self._timeout).result)
