"""``request_started`` and ``request_finished``, for whoever listens besides Django.

What Django itself does on them (connections checked and closed, caches closed, queries forgotten) is done per thread,
where a request had one: see :mod:`plectrum._lanes`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries

from plectrum.hygiene import connections_kept

from .answer import Answer
from .threads import in_thread

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from .request import ServedRequest

__all__ = ["finished", "started"]

_DJANGOS = {id(receiver) for receiver in (close_caches, close_old_connections, reset_queries, reset_urlconf)}


def _is_heard(signal: Any) -> bool:
    """Whether somebody besides Django listens."""
    for lookup in signal.receivers:  # noqa: SIM110 - `any()` would cost as much again
        if lookup[0][0] not in _DJANGOS:
            return True
    return False


def started(request: ServedRequest) -> Awaitable[None] | None:
    """Sends ``request_started``, with ``environ`` as under WSGI; what to wait for, where somebody listens."""
    return _start(request) if _is_heard(request_started) else None


async def _start(request: ServedRequest) -> None:
    with connections_kept():
        await request_started.asend(sender=type(request), environ=request.META)


def finished(response: HttpResponseBase) -> Awaitable[None] | None:
    """Closes an answer that is not streamed: what it holds, and ``request_finished`` is sent; what to wait for."""
    if response.streaming:
        return None  # closed after its last byte
    if _is_heard(request_finished):
        return in_thread(_close, response)
    if type(response) is not Answer or response._resource_closers:
        _close(response)
    return None


def _close(response: HttpResponseBase) -> None:
    with connections_kept():
        response.close()
