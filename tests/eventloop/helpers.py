"""Getting results out of a worker."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from plectrum._core import _testing


def result_of(worker: _testing.Worker, awaitable: Awaitable[Any], *, suspends: bool | None = None) -> Any:
    """Run one awaitable and return its value or raise its exception."""
    [report] = worker.run(awaitable)
    assert report is not None
    suspended, value, error = report
    if suspends is not None:
        assert suspended is suspends
    try:
        if error is not None:
            raise error
        return value
    finally:
        del report, error  # or the traceback would keep its own frame, and so the worker


def until(worker: _testing.Worker, condition: Callable[[], bool]) -> None:
    """Let the worker go on until something has come true."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        worker.idle(0.002)
    assert condition()


def sync_result(report: Any) -> Any:
    """The value of a call on the pool."""
    assert report is not None
    _, value, error = report
    try:
        if error is not None:
            raise error
        return value
    finally:
        del report, error
