"""The web application: routes, middlewares, and the life of what the views need."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from gateway.api import app_keys, request_log, views, views_v1
from gateway.api.admission import Admission
from gateway.api.bodies import expect
from gateway.api.drain import Drain
from gateway.api.problems import problems_middleware
from gateway.api.readiness import Prober
from gateway.api_keys.keyring import Keyring
from gateway.api_keys.middleware import Access
from gateway.pages.documents import Documents
from gateway.pages.page import Page
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
    middlewares = [drain.count, request_log.sight_middleware, problems_middleware]
    if settings.keys_file:
        middlewares.append(Access(Keyring(Path(settings.keys_file))).middleware)
    app = web.Application(middlewares=middlewares, client_max_size=settings.max_body_bytes)
    app[app_keys.SETTINGS] = settings
    app[app_keys.METRICS] = metrics = Metrics()
    app[app_keys.ADMISSION] = admission = Admission(settings.max_in_flight, settings.max_queue)
    metrics.watch(lambda: admission.in_flight, lambda: admission.queued)
    app[app_keys.DRAIN] = drain
    app.cleanup_ctx.append(_spans)
    app.cleanup_ctx.append(_backend)
    app.on_response_prepare.append(drain.close_connection)
    app.on_response_prepare.append(request_log.hide_server)
    app.router.add_post("/predict", views.predict, expect_handler=expect)
    app.router.add_get("/status", views.status)
    app.router.add_post("/v1/predict", views_v1.predict, expect_handler=expect)
    app.router.add_get("/v1/intents", views_v1.intents)
    app.router.add_get("/v1/models", views_v1.models)
    app.router.add_get("/metrics", request_log.metrics_view)
    Page(settings).add_to(app.router)
    Documents(settings).add_to(app.router)
    app.router.add_get("/healthz", views.healthz)
    app.router.add_get("/readyz", views.readyz)
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
