"""A handler whose client has gone is cancelled."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from plectrum._core import _testing
from tests.eventloop.helpers import until


def test_an_abandoned_handler_is_cancelled(worker: _testing.Worker) -> None:
    seen: list[Any] = []

    async def handler() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(0.001)
            seen.append("cleaned up")
            raise

    assert worker.run(handler(), abandon_after=0.005) == [None]
    until(worker, lambda: seen == ["cleaned up"])


def test_an_abandoned_handler_may_finish_all_the_same(worker: _testing.Worker) -> None:
    seen: list[Any] = []

    async def handler() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(0.001)
        seen.append("finished")

    assert worker.run(handler(), abandon_after=0.005) == [None]
    until(worker, lambda: seen == ["finished"])


def test_the_failure_of_an_abandoned_handler_is_logged(
    worker: _testing.Worker, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            raise ValueError("while cleaning up")

    assert worker.run(handler(), abandon_after=0.005) == [None]
    until(worker, lambda: gc.collect() >= 0 and "Task exception was never retrieved" in caplog.text)
