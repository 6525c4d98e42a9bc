"""What the application carries for its views."""

import asyncio

from aiohttp import web

from gateway.backend import Backend
from gateway.classifier import Classifier
from gateway.settings import Settings

SETTINGS = web.AppKey("settings", Settings)
BACKEND = web.AppKey("backend", Backend)
CLASSIFIER = web.AppKey("classifier", Classifier)
DRAINING = web.AppKey("draining", asyncio.Event)
