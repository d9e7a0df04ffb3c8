"""Threads for the synchronous Django code that coroutines await: the ORM's, middleware's, what ``sync_to_async`` runs.

asgiref sends all of it to one thread of the process. Here a request that needs a thread is lent one, with the database
connections that live on it, and gives it back when it is over: requests do not wait for each other's queries, what a
request does in turns is done on one connection, and connections are checked and closed where Django does so, at
``request_started`` and ``request_finished``. A request that needs none costs nothing.

Source: ``asgiref.sync.ThreadSensitiveContext``, ``django.core.handlers.asgi.ASGIHandler.__call__``.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from . import conf

__all__ = ["Lanes", "is_djangos"]

#: A lane that has been shared without a break for so long is given to nobody new, so that it can be tidied.
_TIDY_AFTER = 1.0


def is_djangos(executor: Any) -> bool:
    """Whether it is asgiref's one thread for ``sync_to_async``."""
    asgiref: Any = sys.modules.get("asgiref.sync")
    return executor is not None and asgiref is not None and executor is asgiref.SyncToAsync.single_thread_executor


class _Lane:
    """One thread."""

    def __init__(self, number: int) -> None:
        self.executor = ThreadPoolExecutor(1, thread_name_prefix=f"plectrum-lane-{number}")
        self.holders = 0
        self.since = 0.0


class _Lease:
    """A lane, lent to a task and the tasks it starts meanwhile."""

    __slots__ = ("lane",)

    def __init__(self, lane: _Lane) -> None:
        self.lane: _Lane | None = lane


_lease: contextvars.ContextVar[_Lease] = contextvars.ContextVar("plectrum_lease")


class Lanes:
    """The threads of a worker; ``SYNC_THREADS`` at most, shared where there are more requests."""

    def __init__(self) -> None:
        self._all: list[_Lane] = []
        self._idle: list[_Lane] = []

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Calls a function on the thread of the task that runs now."""
        lease = _lease.get(None)
        lane = None if lease is None else lease.lane
        if lane is None:
            lane = self._lend()
        return lane.executor.submit(function, *args)

    def _lend(self) -> _Lane:
        lane = self._choose()
        lane.holders += 1
        if lane.holders == 1:
            lane.since = time.monotonic()
            lane.executor.submit(_before)
        lease = _Lease(lane)
        task = asyncio.current_task()
        if task is None:
            self._take_back(lease)
        else:
            _lease.set(lease)
            task.add_done_callback(lambda _: self._take_back(lease))
        return lane

    def _choose(self) -> _Lane:
        if self._idle:
            return self._idle.pop()
        if len(self._all) < conf.current().sync_threads:
            lane = _Lane(len(self._all))
            self._all.append(lane)
            return lane
        due = time.monotonic() - _TIDY_AFTER
        return min(self._all, key=lambda lane: (lane.since < due, lane.holders))

    def _take_back(self, lease: _Lease) -> None:
        lane, lease.lane = lease.lane, None
        if lane is None:
            return
        lane.holders -= 1
        if lane.holders == 0:
            lane.executor.submit(_after)
            self._idle.append(lane)

    def close(self) -> None:
        """Lets the threads end; nobody waits for them."""
        for lane in self._all:
            lane.executor.shutdown(wait=False, cancel_futures=True)


def _before() -> None:
    """What Django does on ``request_started``."""
    if "django.db" in sys.modules:
        from django.db import close_old_connections, reset_queries

        reset_queries()
        close_old_connections()


def _after() -> None:
    """What Django does on ``request_finished``."""
    if "django.db" in sys.modules:
        from django.core.cache import close_caches
        from django.db import close_old_connections

        close_caches()
        close_old_connections()
