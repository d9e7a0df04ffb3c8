"""Turns happen when they should, and leave room for others."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from typing import Any

import pytest

from plectrum._core import _testing
from tests.eventloop.helpers import result_of
from tests.eventloop.scenarios import (
    returns_a_tuple_late,
    returns_at_once,
    timeout_that_does_not_expire,
    timeout_that_expires,
)


def test_an_idle_worker_uses_no_cpu(worker: _testing.Worker) -> None:
    async def wait() -> None:
        await asyncio.sleep(0.3)

    started = time.thread_time()
    result_of(worker, wait())
    assert time.thread_time() - started < 0.05


def test_a_flood_of_callbacks_does_not_starve_the_runtime(worker: _testing.Worker) -> None:
    stopped = []

    async def flood() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            if not stopped:
                loop.call_soon(again)

        for _ in range(500):
            loop.call_soon(again)

    result_of(worker, flood())
    started = time.monotonic()
    worker.idle(0.02)
    assert time.monotonic() - started < 0.5
    stopped.append(True)


def test_timers_fire_in_order_and_not_early(worker: _testing.Worker) -> None:
    order: list[int] = []

    async def sleeper(milliseconds: int) -> float:
        started = time.monotonic()
        await asyncio.sleep(milliseconds / 1000)
        order.append(milliseconds)
        return time.monotonic() - started - milliseconds / 1000

    reports = worker.run(*(sleeper(n) for n in (50, 10, 40, 20, 30)))
    assert order == [10, 20, 30, 40, 50]
    late = [report[1] for report in reports if report is not None]
    assert min(late) >= 0
    assert max(late) < 0.1


def test_cancelled_timers_are_swept_out(worker: _testing.Worker) -> None:
    async def handler() -> int:
        loop: Any = asyncio.get_running_loop()
        for handle in [loop.call_later(1000 + n, print) for n in range(1000)]:
            handle.cancel()
        await asyncio.sleep(0.002)
        return int(loop._scheduler.timers)

    assert result_of(worker, handler()) < 200
    assert result_of(worker, timeout_that_does_not_expire()) == ("in time", False)


def test_timers_of_handlers_that_finish_at_once_are_swept_out(worker: _testing.Worker) -> None:
    async def handler() -> int:
        loop: Any = asyncio.get_running_loop()
        async with asyncio.timeout(1000):
            return int(loop._scheduler.timers)

    for _ in range(20):
        worker.run(*(handler() for _ in range(100)))
        worker.idle(0.0)
    assert result_of(worker, handler(), suspends=False) < 400


def test_pythons_own_signal_handlers_run_while_the_worker_waits(worker: _testing.Worker) -> None:
    received: list[float] = []
    previous = signal.signal(signal.SIGUSR1, lambda *_: received.append(time.monotonic()))
    try:
        timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        result_of(worker, asyncio.sleep(0.2))
        finished = time.monotonic()
        assert len(received) == 1
        assert finished - received[0] > 0.1
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_debug_mode_tells_of_slow_callbacks(worker: _testing.Worker, caplog: pytest.LogCaptureFixture) -> None:
    async def slow() -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0.01
        loop.set_debug(True)
        loop.call_soon(time.sleep, 0.02)
        await asyncio.sleep(0.03)
        loop.set_debug(False)

    with caplog.at_level(logging.WARNING, "asyncio"):
        result_of(worker, slow())
    assert "Executing" in caplog.text


def test_the_loop_cannot_be_run_from_python(worker: _testing.Worker) -> None:
    async def run_it() -> None:
        coroutine = returns_at_once()
        try:
            asyncio.get_running_loop().run_until_complete(coroutine)
        finally:
            coroutine.close()

    with pytest.raises(RuntimeError, match="already running"):
        result_of(worker, run_it())


def test_panics_are_failures_of_the_handler(worker: _testing.Worker, capfd: pytest.CaptureFixture[str]) -> None:
    async def panic() -> None:
        _testing.panic()

    async def panic_late() -> None:
        await asyncio.sleep(0)
        _testing.panic()

    for handler in (panic, panic_late):
        with pytest.raises(SystemError, match="native code panicked: on purpose"):
            result_of(worker, handler())
    assert "on purpose" in capfd.readouterr().err
    assert result_of(worker, timeout_that_expires()) == asyncio.run(timeout_that_expires())


def test_no_loop_is_running_while_the_runtime_is_not(worker: _testing.Worker) -> None:
    result_of(worker, returns_at_once())
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
    assert asyncio.run(returns_a_tuple_late()) == (1, 2)
    assert result_of(worker, returns_a_tuple_late()) == (1, 2)
