"""The web application: its routes, its middlewares, and what lives as long as it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from gateway.api import app_keys
from gateway.api.admission import Admission
from gateway.api.bodies import expect
from gateway.api.drain import Drain
from gateway.api.problems import answer_errors
from gateway.api.readiness import Prober
from gateway.api.request_log import RequestLog
from gateway.api_keys.keyring import Keyring
from gateway.api_keys.middleware import Access
from gateway.pages.pages import PAGES, Pages
from gateway.routes import ROUTES
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.spans import spans_from_environment
from gateway.upstream.backend import Backend
from gateway.upstream.classifier import Classifier
from gateway.upstream.combiner import Combiner
from gateway.upstream.deadline import Deadline
from gateway.upstream.labels import LabelLists


def create_app(settings: Settings) -> web.Application:
    """The application, ready to be run; its channel lives from start-up until after the last request.

    Raises:
        SettingsError: the file of API keys cannot be used.
    """
    drain = Drain()
    log = RequestLog({route.path for route in ROUTES if route.is_probed})
    middlewares = [log.middleware, answer_errors]
    if settings.keys_file:
        open_paths = {route.path for route in ROUTES if route.is_open}
        middlewares.append(Access(Keyring(Path(settings.keys_file)), open_paths).middleware)
    app = web.Application(middlewares=middlewares, client_max_size=settings.max_body_bytes)
    app[app_keys.SETTINGS] = settings
    app[app_keys.METRICS] = metrics = Metrics()
    app[app_keys.ADMISSION] = admission = Admission(settings.max_in_flight, settings.max_queue)
    metrics.watch(lambda: admission.in_flight, lambda: admission.queued)
    app[app_keys.DRAIN] = drain
    app[app_keys.RUNNING] = lambda: log.running
    app.cleanup_ctx.append(_spans)
    app.cleanup_ctx.append(_backend)
    app.on_response_prepare.append(drain.prepare)
    app[PAGES] = Pages(settings, ROUTES)
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler, expect_handler=expect)
    return app


async def _spans(app: web.Application) -> AsyncIterator[None]:
    app[app_keys.SPANS] = spans = spans_from_environment(os.environ)
    yield
    if spans:
        await asyncio.to_thread(spans.close)


async def _backend(app: web.Application) -> AsyncIterator[None]:
    settings = app[app_keys.SETTINGS]
    backend = Backend(settings, app[app_keys.METRICS])
    # The fetch has a deadline of its own: it serves many requests, and must outlive the first that waits for it.
    labels = LabelLists(
        lambda version, classes: backend.labels(version, classes, Deadline.after(settings.deadline_seconds))
    )
    app[app_keys.BACKEND] = backend
    combiner = Combiner(backend, settings.max_combined_texts, settings.max_calls)
    app[app_keys.CLASSIFIER] = classifier = Classifier(combiner, labels)
    app[app_keys.PROBER] = Prober(backend, classifier, app[app_keys.DRAIN], settings.deadline_seconds)
    yield
    await backend.close()
