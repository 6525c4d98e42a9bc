"""Reads the configuration file again and again and applies it, changed or not."""

import logging
import threading

from model_server.config.config import read_model_server_config
from model_server.errors import ModelServerError, StatusError
from model_server.versions.periodic import run_periodically
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)


def start(core: ServerCore, path: str, period: int) -> None:
    """Starts a thread that looks every `period` seconds. Whatever is wrong with the file is logged; the old state goes
    on."""
    threading.Thread(
        target=run_periodically, args=(lambda: _read_and_apply(core, path), period), name="config", daemon=True
    ).start()


def _read_and_apply(core: ServerCore, path: str) -> None:
    try:
        wanted = read_model_server_config(path)
    except (StatusError, OSError) as error:
        _log.error("Failed to read ModelServerConfig file: %s", _text(error))
        return
    try:
        core.apply(wanted)
    except ModelServerError as error:
        _log.error("PollFilesystemAndReloadConfig failed to ReloadConfig: %s", _text(error))


def _text(error: Exception) -> str:
    return error.message if isinstance(error, StatusError) else str(error)
