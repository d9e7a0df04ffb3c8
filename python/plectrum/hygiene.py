"""What Django does around a view, done around sync handlers: connections checked and closed, ``ATOMIC_REQUESTS``."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import sys
from collections.abc import Generator
from typing import Any

from .routing import Handler

__all__ = ["connections_kept", "keeps", "keeps_connections", "with_django_connections"]

#: Whether the thread's connections are a test's, whose transaction a close would end; as in Django's own test client.
keeps_connections: contextvars.ContextVar[bool] = contextvars.ContextVar("keeps_connections", default=False)


def with_django_connections(handler: Handler) -> Handler:
    """``handler`` as Django would call a view, where Django is set up; itself otherwise.

    Stale and broken connections of the thread are closed before and after, as on ``request_started`` and
    ``request_finished``; aliases with ``ATOMIC_REQUESTS`` are in a transaction meanwhile.

    Source: ``django.db.close_old_connections``, ``django.core.handlers.base.BaseHandler.make_view_atomic``.
    """
    if not _django_is_ready():
        return handler
    from django.db import close_old_connections, connections, transaction

    exempt: set[str] = getattr(handler, "_non_atomic_requests", set())
    aliases = [
        alias
        for alias, settings in connections.settings.items()
        if settings.get("ATOMIC_REQUESTS") and alias not in exempt
    ]

    @functools.wraps(handler)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tidy = _nothing if keeps() else close_old_connections
        tidy()
        try:
            with contextlib.ExitStack() as stack:
                for alias in aliases:
                    stack.enter_context(transaction.atomic(using=alias))
                return handler(*args, **kwargs)
        finally:
            tidy()

    return wrapped


@contextlib.contextmanager
def connections_kept(kept: bool | None = None) -> Generator[None]:
    """In a test client, Django's signals leave the connections open: they hold the test's transaction.

    Parameters:
        kept: whether they are a test's; found out where ``None``.

    Source: ``django.test.client.ClientHandler.__call__``.
    """
    if not (keeps() if kept is None else kept):
        yield
        return
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections

    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def keeps() -> bool:
    """Whether this thread's connections are a test's: its client runs here, or code that the client's loop calls."""
    if keeps_connections.get():
        return True
    here: Any = sys.modules.get("plectrum._here")
    if here is None:
        return False
    return here.calling_loop() is not None or isinstance(asyncio._get_running_loop(), here.InProcessEventLoop)


def _nothing() -> None:
    """Stands in for the tidying up."""


def _django_is_ready() -> bool:
    if "django" not in sys.modules:
        return False
    from django.apps import apps

    return apps.ready
