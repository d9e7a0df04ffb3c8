"""What is seen of requests: metrics, probes, logs, traces, slow statements. See ``docs/observability.md``.

Everything is off until a setting names where it goes, and costs nothing then.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import traceback
from collections.abc import Generator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _core
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .conf import Settings

__all__ = ["JSONHandler", "board_file", "describe", "install", "request_id", "traceparent"]

#: Where the workers of one server count together; the name of a file that all of them map.
_BOARD = "PLECTRUM_INTERNAL_BOARD"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a name nobody can guess is made in it
# A row of `crates/engine/src/observe/board.rs`, generously; pages nobody writes to take no memory.
_ROW_BYTES = 1 << 20
_REQUEST_ID = "X-Request-ID"
# What every record has; the rest is what `extra=` added.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


# Name and trace of the request that a suspended handler, or one in a thread, works on.
_current: ContextVar[tuple[str | None, str | None]] = ContextVar("plectrum.observe", default=(None, None))


def request_id() -> str | None:
    """What the request that is being answered is called; ``None`` where nothing names requests."""
    return _core.request_id() or _current.get()[0]


def traceparent() -> str | None:
    """The trace of the request that is being answered, to send with requests made on its behalf.

    ``None`` where ``OTLP_ENDPOINT`` is not set.

    Source: W3C Trace Context.
    """
    return _core.traceparent() or _current.get()[1]


def remember(request: str | None, trace: str | None) -> None:
    """Called by Rust in the context of a handler that goes on later, or elsewhere."""
    _current.set((request, trace))


class JSONHandler(logging.Handler):
    """Writes records as lines of JSON, by Rust, with the id of the request they belong to.

    Parameters:
        target: ``stdout``, ``stderr`` or a file.
        level: of records that are written.

    Errors:
        ValueError: it cannot be written to.
    """

    def __init__(self, target: str = "stderr", level: int | str = logging.NOTSET) -> None:
        super().__init__(level)
        self._lines = _core.LogLines(target)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        try:
            self._lines.write(json.dumps(_described(record), default=str))
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)


def _described(record: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": "log",
        "logger": record.name,
        "message": record.getMessage(),
    }
    if (request := request_id()) is not None:
        line["request_id"] = request
    if (trace := traceparent()) is not None:
        line["trace_id"] = trace.split("-")[1]
    if record.exc_info and record.exc_info[0] is not None:
        line["exception"] = "".join(traceback.format_exception(*record.exc_info))
    line.update((name, value) for name, value in vars(record).items() if name not in _USUAL and name not in line)
    return line


def install(settings: Settings) -> None:
    """Has Python's ``logging`` write where ``ERROR_LOG`` says, beside the handlers it has.

    Errors:
        ConfigurationError: it cannot be written to.
    """
    if settings.error_log is None:
        return
    try:
        logging.getLogger().addHandler(JSONHandler(settings.error_log))
    except ValueError as error:
        raise ConfigurationError(f"ERROR_LOG: {error}.") from None


def describe(settings: Settings) -> dict[str, Any]:
    """What is to be observed, as the Rust side reads it (``crates/py/src/observe.rs``).

    Errors:
        ConfigurationError: a path or a header of it cannot be.
    """
    for name in ("metrics_path", "health_path", "ready_path"):
        path = getattr(settings, name)
        if path is not None and not path.startswith("/"):
            raise ConfigurationError(f'{name.upper()} is {path!r}; a path starts with "/".')
    return {
        "on": is_on(settings),
        "board": _board(),
        "metrics": settings.metrics_path,
        "metrics_token": settings.metrics_token,
        "health": settings.health_path,
        "ready": settings.ready_path,
        "access_log": settings.access_log,
        "access_sample": settings.access_log_sample,
        "slow": settings.slow_query,
        "otlp": _otlp(settings),
        "redis": _redis(settings),
    }


def is_on(settings: Settings) -> bool:
    """Whether requests are observed at all; probes alone need nothing of them."""
    wanted = (
        settings.metrics_path,
        settings.access_log,
        settings.error_log,
        settings.slow_query,
        settings.otlp_endpoint,
    )
    return settings.dashboard or any(value is not None for value in wanted)


def request_id_header(settings: Settings) -> str | None:
    """The header that names requests: what logs and traces tell of needs a name."""
    named = settings.access_log or settings.error_log or settings.otlp_endpoint
    return settings.request_id_header or (_REQUEST_ID if named else None)


def _otlp(settings: Settings) -> dict[str, Any] | None:
    if settings.otlp_endpoint is None:
        return None
    headers: list[tuple[str, str]] = []
    for text in settings.otlp_headers:
        name, found, value = text.partition("=")
        if not found or not name.strip():
            raise ConfigurationError(f"OTLP_HEADERS has {text!r}; write name=value.")
        headers.append((name.strip(), value.strip()))
    return {
        "endpoint": settings.otlp_endpoint,
        "headers": headers,
        "service": settings.otlp_service,
        "sample": settings.trace_sample,
    }


def _redis(settings: Settings) -> list[tuple[str, str]]:
    named = {"throttle": settings.throttle_redis, "channels": settings.channels_redis, "cache": settings.cache_redis}
    return [(name, url) for name, url in named.items() if url]


@contextlib.contextmanager
def board_file(settings: Settings, workers: int) -> Generator[dict[str, str]]:
    """Makes the memory the workers count in, as long as the server is there.

    Parameters:
        settings: whether there is anything to count.
        workers: places; while workers are replaced there are twice as many of them.

    Returns:
        Environment variables for the workers.
    """
    if not is_on(settings):
        yield {}
        return
    directory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    with tempfile.NamedTemporaryFile(prefix="plectrum-board-", dir=directory) as file:
        file.truncate(_ROW_BYTES * (2 * workers + 2))
        yield {_BOARD: file.name}


def _board() -> str | None:
    path = os.environ.get(_BOARD)
    return path if path and Path(path).exists() else None
