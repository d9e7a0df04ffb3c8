"""The end of a worker, asked for or not."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from plectrum._core import _testing
from tests.eventloop.helpers import result_of
from tests.eventloop.scenarios import (
    callbacks_of_a_finished_handler,
    context_of_a_handler,
    is_cancelled_by_another_task,
    processes,
    raises_late,
    returns_a_tuple_late,
    returns_at_once,
    streams,
    timeout_that_expires,
)


def test_closing_cancels_what_is_left() -> None:
    worker = _testing.Worker()
    seen: list[str] = []

    async def stays() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.001)
            seen.append("task")

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0.001)
            seen.append("generator")

    kept: list[Any] = []

    async def handler() -> None:
        kept.append(asyncio.create_task(stays()))
        kept.append(numbers())
        await anext(kept[1])
        await asyncio.sleep(0)

    result_of(worker, handler())
    worker.close(1.0)
    assert seen == ["task", "generator"]
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
    assert asyncio.run(returns_at_once()) == {"message": "Hello, World!"}


def test_closing_does_not_wait_for_the_stubborn(caplog: pytest.LogCaptureFixture) -> None:
    worker = _testing.Worker()

    async def stubborn() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(100)

    async def handler() -> None:
        handler.task = asyncio.create_task(stubborn())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    result_of(worker, handler())
    started = time.monotonic()
    worker.close(0.05)
    assert time.monotonic() - started < 1
    assert "task ignored its cancellation for 0.05 s" in caplog.text


def test_a_worker_can_be_replaced() -> None:
    for _ in range(3):
        worker = _testing.Worker()
        assert result_of(worker, returns_a_tuple_late()) == (1, 2)
        worker.close(1.0)


def test_workers_run_on_threads_of_their_own() -> None:
    results: list[Any] = []

    def run() -> None:
        worker = _testing.Worker()
        scenarios = (streams, processes, timeout_that_expires, context_of_a_handler)
        results.extend(result_of(worker, scenario()) for scenario in scenarios)
        worker.close(1.0)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 8


def test_nothing_leaks(worker: _testing.Worker) -> None:
    several = [
        returns_at_once,
        returns_a_tuple_late,
        raises_late,
        callbacks_of_a_finished_handler,
        is_cancelled_by_another_task,
    ]

    def run() -> int:
        for scenario in several * 20:
            worker.run(scenario())
        worker.idle(0.01)
        gc.collect()
        return len(gc.get_objects())

    run()
    before = run()
    assert abs(run() - before) < 50


def test_a_program_that_ends_without_closing_its_worker_ends_quietly() -> None:
    program = """
        import asyncio
        from plectrum._core import _testing
        worker = _testing.Worker()
        async def handler():
            handler.task = asyncio.create_task(asyncio.sleep(100))
            await asyncio.sleep(0.001)
            await asyncio.to_thread(print, "ran")
        worker.run(handler())
        worker.run_sync(lambda: print("sync"))
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=30, env=environment
    )
    assert (done.returncode, done.stdout) == (0, "ran\nsync\n")
    assert "Traceback" not in done.stderr
    assert "panicked" not in done.stderr
