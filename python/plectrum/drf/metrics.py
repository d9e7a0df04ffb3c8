"""What Rust did for a request: fields written in Rust and in Python, and the time that saved.

:class:`PlectrumMetricsMiddleware` tells it in a header, :func:`count_fields` in a test. Neither of them in use, nothing
is counted: the functions that count take the place of the ones that work only while somebody asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from rest_framework import serializers

from .._core import represent_json, represent_many
from . import compile as output
from . import renderer
from .direct import queryset_bytes
from .explain import SerializerExplanation, explain
from .values import class_of

__all__ = ["HEADER", "PlectrumMetricsMiddleware", "Stats", "count_fields"]

#: Name of the header.
HEADER: Final = "X-Plectrum-Stats"


@dataclass
class Stats:
    """What was counted.

    Parameters:
        rust, python: values of fields, one per row, written in Rust and in Python. Rows of nested lists are not counted
            where Rust writes them.
    """

    rust: int = 0
    python: int = 0

    @property
    def saved_ms(self) -> float:
        """Milliseconds that Rust saved, by what a field costs either way on this machine (:func:`_calibrated`)."""
        return self.rust * _calibrated() * 1000

    def header(self) -> str:
        """As a dictionary of structured fields (RFC 9651)."""
        return f"rust={self.rust}, python={self.python}, saved-ms={self.saved_ms:.3f}"


_stats: ContextVar[Stats | None] = ContextVar("plectrum.drf.metrics", default=None)
_lock = threading.Lock()
_users = [0]
_own: Final[dict[tuple[Any, str], Any]] = {
    (output, "represent_many"): represent_many,
    (output, "current"): output.current,
    (renderer, "represent_json"): represent_json,
    (renderer, "queryset_bytes"): queryset_bytes,
}


def _represent_many(child: object, rows: object) -> list[Any]:
    found: list[Any] = _apart(_own[output, "represent_many"], child, rows)
    _count(child, len(found))
    return found


def _represent_json(child: object, rows: Any, default: object) -> bytes:
    found: bytes = _apart(_own[renderer, "represent_json"], child, rows, default)
    _count(child, len(rows))
    return found


def _queryset_bytes(child: object, rows: object, *, readable: bool = False) -> tuple[bytes, int] | None:
    found: tuple[bytes, int] | None = _own[renderer, "queryset_bytes"](child, rows, readable=readable)
    _count(child, found[1] if found else 0)
    return found


def _apart(represent: Any, *arguments: Any) -> Any:
    """What asks on the way (a list's first row, nested serializers) is counted with the list."""
    token = _stats.set(None)
    try:
        return represent(*arguments)
    finally:
        _stats.reset(token)


def _current(serializer: Any, after: type | None = None, *, first: bool = True) -> Any:
    found = _own[output, "current"](serializer, after, first=first)
    if first:  # asked for one object, which DRF represents itself where nothing is compiled
        _count(serializer, 1, python=found is None)
    return found


_COUNTING: Final[dict[tuple[Any, str], Any]] = {
    (output, "represent_many"): _represent_many,
    (output, "current"): _current,
    (renderer, "represent_json"): _represent_json,
    (renderer, "queryset_bytes"): _queryset_bytes,
}


def _count(serializer: Any, rows: int, *, python: bool = False) -> None:
    stats = _stats.get()
    if stats is None or not rows:
        return
    if python:  # what is nested asks for itself
        stats.python += sum(
            not (field.write_only or isinstance(field, serializers.BaseSerializer))
            for field in serializer.fields.values()
        )
        return
    rust, other = _ways(class_of(serializer), tuple(serializer.fields), serializer)
    stats.rust += rust * rows
    stats.python += other * rows


_known: dict[tuple[type, tuple[str, ...]], tuple[int, int]] = {}


def _ways(kind: type, names: tuple[str, ...], serializer: Any) -> tuple[int, int]:
    """Fields of a record that are written in Rust and in Python; serializers of one class and fields are alike."""
    found = _known.get((kind, names))
    if found is None:
        if len(_known) >= 1024:  # classes made per request must not pile up
            _known.clear()
        found = _known[kind, names] = _counted(explain(serializer))
    return found


def _counted(found: SerializerExplanation) -> tuple[int, int]:
    if found.output.way == "python":
        return 0, len(found.fields)
    rust = python = 0
    for field in found.fields:
        if field.nested is not None and field.kind != "ListSerializer":
            inner = _counted(field.nested)
            rust, python = rust + inner[0], python + inner[1]
        elif field.output.way != "unused":
            rust, python = rust + (field.output.way == "rust"), python + (field.output.way == "python")
    return rust, python


def _start() -> None:
    with _lock:
        _users[0] += 1
        if _users[0] == 1:
            for (module, name), counting in _COUNTING.items():
                setattr(module, name, counting)


def _stop() -> None:
    with _lock:
        _users[0] -= 1
        if not _users[0]:
            for (module, name), own in _own.items():
                setattr(module, name, own)


@contextlib.contextmanager
def count_fields() -> Generator[Stats]:
    """Counts what the block represents, for tests.

    Returns:
        The counts, growing while the block runs.
    """
    _start()
    token = _stats.set(Stats())
    try:
        yield _stats.get() or Stats()
    finally:
        _stats.reset(token)
        _stop()


class _Sample(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    name = serializers.CharField()
    share = serializers.FloatField()
    active = serializers.BooleanField()


@functools.cache
def _calibrated() -> float:
    """Seconds a field costs less in Rust than in DRF: measured once on this machine, on plain fields of objects."""
    rows = [SimpleNamespace(number=n, name=f"name {n}", share=n / 7, active=True) for n in range(100)]

    def quickest(represent: Callable[[Any, Any], Any]) -> float:
        times: list[float] = []
        for _ in range(5):
            serializer = _Sample(many=True)
            started = time.perf_counter()
            represent(serializer, rows)
            times.append(time.perf_counter() - started)
        return min(times)

    python = quickest(lambda serializer, rows: [output.REPRESENT(serializer.child, row) for row in rows])
    rust = quickest(lambda serializer, rows: _own[output, "represent_many"](serializer.child, rows))
    return max(python - rust, 0.0) / (len(rows) * 4)


class PlectrumMetricsMiddleware:
    """Puts ``X-Plectrum-Stats: rust=120, python=20, saved-ms=0.412`` on answers that represented something with DRF.

    For ``MIDDLEWARE``, with synchronous and asynchronous handlers. In production it tells everybody who asks how a page
    is made; leave it out there, or let the proxy drop the header.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        # asgiref marks with `inspect`'s own mark where that has one, since Python 3.12.
        marked = getattr(get_response, "_is_coroutine", None) is getattr(asyncio.coroutines, "_is_coroutine", object())
        self._asynchronous = marked or inspect.iscoroutinefunction(get_response)
        if self._asynchronous:
            markcoroutinefunction(self)
        _start()
        _calibrated()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answers the request and tells what it took."""
        return self._later(request) if self._asynchronous else self._now(request)

    def _now(self, request: HttpRequest) -> HttpResponseBase:
        token = _stats.set(Stats())
        try:
            return _told(self.get_response(request))
        finally:
            _stats.reset(token)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        token = _stats.set(Stats())
        try:
            return _told(await self.get_response(request))
        finally:
            _stats.reset(token)


def _told(response: HttpResponseBase) -> HttpResponseBase:
    stats = _stats.get()
    if stats is not None and (stats.rust or stats.python):
        response.headers[HEADER] = stats.header()
    return response
