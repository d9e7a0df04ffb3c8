"""Blocking functions on threads of their own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest

from plectrum._core import _testing
from tests.eventloop.helpers import result_of, sync_result
from tests.eventloop.scenarios import VARIABLE

type_of = type


def test_sync_functions_run_on_named_threads(worker: _testing.Worker) -> None:
    [report] = worker.run_sync(threading.current_thread)
    thread = sync_result(report)
    assert thread.name.startswith("plectrum-sync-")
    assert thread.daemon
    assert type(thread) is threading.Thread


def test_sync_functions_run_at_the_same_time(worker: _testing.Worker) -> None:
    barrier = threading.Barrier(2)
    reports = worker.run_sync(lambda: barrier.wait(5), lambda: barrier.wait(5))
    assert sorted(map(sync_result, reports)) == [0, 1]


def test_sync_exceptions_are_results(worker: _testing.Worker) -> None:
    for kind in (ValueError, KeyboardInterrupt, SystemExit, StopIteration):

        def fail(kind: type_of[BaseException] = kind) -> None:
            raise kind("sync")

        [report] = worker.run_sync(fail)
        with pytest.raises(kind, match="sync"):
            sync_result(report)


def test_sync_functions_have_a_copy_of_the_context(worker: _testing.Worker) -> None:
    def write() -> str:
        before = VARIABLE.get()
        VARIABLE.set("written on a thread")
        return before

    def run() -> Any:
        VARIABLE.set("from the caller")
        return [sync_result(report) for report in worker.run_sync(write, write)], VARIABLE.get()

    assert contextvars.copy_context().run(run) == (["from the caller"] * 2, "from the caller")


def test_thread_locals_stay_with_their_thread() -> None:
    worker, local = _testing.Worker(threads=1), threading.local()

    def count() -> int:
        local.count = getattr(local, "count", 0) + 1
        return local.count

    assert [sync_result(worker.run_sync(count)[0]) for _ in range(5)] == [1, 2, 3, 4, 5]
    worker.close(1.0)


def test_the_pool_refuses_what_it_has_no_room_for(worker: _testing.Worker) -> None:
    release = threading.Event()
    # By then all six have come, also where threads take long to start.
    threading.Timer(0.5, release.set).start()
    reports = worker.run_sync(*[lambda: release.wait(5)] * 6)
    values = [report[1] for report in reports if report is not None]
    assert values == [True] * 4 + [None] * 2
    for report in reports[4:]:
        with pytest.raises(RuntimeError, match="every thread for sync handlers is at work and 2 calls are waiting"):
            sync_result(report)
    assert sync_result(worker.run_sync(lambda: "room again")[0]) == "room again"


def test_a_call_that_has_not_begun_can_be_withdrawn(worker: _testing.Worker) -> None:
    release, calls = threading.Event(), []

    def blocked() -> None:
        release.wait(5)

    def waiting() -> None:
        calls.append("ran")

    assert worker.run_sync(blocked, blocked, waiting, waiting, abandon_after=0.01) == [None] * 4
    release.set()
    assert sync_result(worker.run_sync(lambda: "next")[0]) == "next"
    assert calls == []


def test_a_sync_function_does_not_hold_up_the_loop(worker: _testing.Worker) -> None:
    async def ticks() -> int:
        count = 0
        future = asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05)
        while not future.done():
            await asyncio.sleep(0.001)
            count += 1
        return count

    assert result_of(worker, ticks()) > 10


def test_async_code_inside_sync_functions(worker: _testing.Worker) -> None:
    sync = pytest.importorskip("asgiref.sync")

    async def inner() -> str:
        await asyncio.sleep(0.001)
        return await sync.sync_to_async(threading.current_thread)()

    def outer() -> Any:
        return sync.async_to_sync(inner)() is threading.current_thread()

    assert sync_result(worker.run_sync(outer)[0]) is True


def test_sync_code_inside_handlers(worker: _testing.Worker) -> None:
    sync = pytest.importorskip("asgiref.sync")

    async def handler() -> Any:
        first = await sync.sync_to_async(threading.get_ident)()
        second = await sync.sync_to_async(threading.get_ident)()
        return first == second != threading.get_ident()

    assert result_of(worker, handler()) is True
