"""The web application: routes, the backend's life, and errors as JSON."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway import keys, views
from gateway.backend import Backend
from gateway.classifier import Classifier
from gateway.deadline import Deadline
from gateway.errors import GatewayError
from gateway.labels import LabelCache
from gateway.schemas import ErrorAnswer, ErrorBody
from gateway.settings import Settings

_LOG = logging.getLogger(__name__)


def create_app(settings: Settings) -> web.Application:
    """The application, ready to be run; its channel lives from start-up until after the last request."""
    app = web.Application(middlewares=[_errors_as_json], client_max_size=settings.max_body_bytes)
    app[keys.SETTINGS] = settings
    app[keys.DRAINING] = asyncio.Event()
    app.cleanup_ctx.append(_backend)
    app.on_response_prepare.append(_close_while_draining)
    app.router.add_post("/predict", views.predict)
    app.router.add_get("/status", views.status)
    app.router.add_get("/healthz", views.healthz)
    app.router.add_get("/readyz", views.readyz)
    return app


async def _backend(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS]
    backend = Backend(settings.model_server, settings.model_name)
    # The fetch has a deadline of its own: it serves many requests, and must outlive the first that waits for it.
    labels = LabelCache(lambda version: backend.labels(version, Deadline.after(settings.deadline_seconds)))
    watch = asyncio.create_task(backend.watch(labels.forget))
    app[keys.BACKEND] = backend
    app[keys.CLASSIFIER] = Classifier(backend, labels)
    yield
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    await backend.close()


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except GatewayError as error:
        return views.json_response(ErrorAnswer(ErrorBody(error.code, str(error))), error.status)
    except web.HTTPMethodNotAllowed as error:
        allowed = sorted({*error.allowed_methods, "OPTIONS"})
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": ", ".join(allowed)})
        answer = _answer(error.status, f"{request.path} answers {' and '.join(allowed)} only")
        answer.headers["Allow"] = ", ".join(allowed)
        return answer
    except web.HTTPNotFound as error:
        paths = sorted({resource.canonical for resource in request.app.router.resources()})
        return _answer(error.status, f"nothing is at this path; there are {', '.join(paths)}")
    except web.HTTPException as error:
        return _answer(error.status, error.reason)
    except Exception:
        _LOG.exception("%s %s failed", request.method, request.path)
        return _answer(500, "the gateway failed on this request; its log says why")


async def _close_while_draining(request: web.Request, response: web.StreamResponse) -> None:
    # A client that keeps its connection would send the next request into a closed socket.
    if request.app[keys.DRAINING].is_set():
        response.force_close()
        # force_close alone comes too late for the header.
        response.headers["Connection"] = "close"


def _answer(status: int, message: str) -> web.Response:
    code = HTTPStatus(status).name.lower() if status < 500 else GatewayError.code
    return views.json_response(ErrorAnswer(ErrorBody(code, message)), status)
