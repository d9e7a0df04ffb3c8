"""The first step of a coroutine: free when it is the last, and never seen by the next one."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import types
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from typing import Any

import pytest

from plectrum._core import _testing
from tests.eventloop.helpers import result_of, until
from tests.eventloop.scenarios import (
    VARIABLE,
    awaits_a_done_future,
    callbacks_of_a_finished_handler,
    raises_at_once,
    raises_late,
    returns_a_tuple_late,
    returns_at_once,
)

type_of = type


def test_a_coroutine_that_does_not_suspend_is_done_in_its_first_step(worker: _testing.Worker) -> None:
    assert result_of(worker, returns_at_once(), suspends=False) == {"message": "Hello, World!"}
    assert result_of(worker, awaits_a_done_future(), suspends=False) == "ready"
    with pytest.raises(ValueError, match="early"):
        result_of(worker, raises_at_once(), suspends=False)


def test_a_coroutine_that_suspends_is_not(worker: _testing.Worker) -> None:
    assert result_of(worker, returns_a_tuple_late(), suspends=True) == (1, 2)


def test_coroutines_that_leave_no_trace_share_one_task(worker: _testing.Worker) -> None:
    async def identity() -> int:
        return id(asyncio.current_task())

    assert len({report[1] for report in worker.run(*(identity() for _ in range(100))) if report}) == 1


def test_a_task_that_was_kept_is_not_shared_and_finishes(worker: _testing.Worker) -> None:
    async def current() -> Any:
        return asyncio.current_task()

    kept = [result_of(worker, current()) for _ in range(10)]
    assert len({id(task) for task in kept}) == 10
    assert all(task.done() and task.result() is task for task in kept)


def test_a_task_that_was_kept_by_a_failure_finishes_with_it(
    worker: _testing.Worker, caplog: pytest.LogCaptureFixture
) -> None:
    kept: list[Any] = []

    async def fails() -> None:
        kept.append(asyncio.current_task())
        raise ValueError("kept")

    with pytest.raises(ValueError, match="kept"):
        result_of(worker, fails())
    assert isinstance(kept.pop().exception(), ValueError)
    gc.collect()
    assert caplog.records == []


def test_done_callbacks_of_the_first_step_are_called(worker: _testing.Worker) -> None:
    order = result_of(worker, callbacks_of_a_finished_handler(), suspends=False)
    until(worker, lambda: len(order) == 2)
    assert order == [("done", True), "later"]


def test_names_do_not_leak(worker: _testing.Worker) -> None:
    async def rename() -> str:
        task = asyncio.current_task()
        assert task is not None
        before = task.get_name()
        task.set_name("renamed")
        return before

    assert "renamed" not in [report[1] for report in worker.run(*(rename() for _ in range(5))) if report]


def test_context_variables_do_not_leak(worker: _testing.Worker) -> None:
    async def write() -> str:
        before = VARIABLE.get()
        VARIABLE.set("leaked")
        return before

    assert [report[1] for report in worker.run(*(write() for _ in range(5))) if report] == ["unset"] * 5
    assert VARIABLE.get() == "unset"


def test_a_reset_context_variable_is_unset(worker: _testing.Worker) -> None:
    async def write_and_reset() -> str:
        before = VARIABLE.get()
        VARIABLE.reset(VARIABLE.set("for a while"))
        return before

    reports = worker.run(*(write_and_reset() for _ in range(5)))
    assert [report[1] for report in reports if report] == ["unset"] * 5


def test_handlers_start_with_the_context_of_the_start() -> None:
    def in_context() -> Any:
        VARIABLE.set("at start-up")
        worker = _testing.Worker()
        VARIABLE.set("too late")

        async def overwrite() -> str:
            seen = VARIABLE.get()
            VARIABLE.set("by a handler")
            return seen

        async def overwrite_late() -> str:
            await asyncio.sleep(0)
            return await overwrite()

        seen = [result_of(worker, handler()) for handler in (overwrite, overwrite_late, overwrite)]
        worker.close(1.0)
        return seen

    assert contextvars.copy_context().run(in_context) == ["at start-up"] * 3


def test_interrupts_in_the_first_step_are_results(worker: _testing.Worker) -> None:
    async def interrupt(kind: type_of[BaseException]) -> None:
        raise kind("now")

    for kind in (KeyboardInterrupt, SystemExit, GeneratorExit):
        with pytest.raises(kind, match="now"):
            result_of(worker, interrupt(kind), suspends=False)
    assert result_of(worker, returns_at_once()) is not None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupts_later_are_results_and_reported(worker: _testing.Worker, kind: type_of[BaseException]) -> None:
    async def interrupt() -> None:
        await asyncio.sleep(0.001)
        raise kind("later")

    with pytest.raises(kind, match="later"):
        result_of(worker, interrupt(), suspends=True)
    assert isinstance(worker.interrupt(1.0), kind)
    assert worker.interrupt(0.0) is None
    assert result_of(worker, returns_a_tuple_late()) == (1, 2)


def test_an_exception_is_not_reported_as_lost(worker: _testing.Worker, caplog: pytest.LogCaptureFixture) -> None:
    for handler in (raises_at_once, raises_late):
        with pytest.raises(ValueError, match=r"early|late"):
            result_of(worker, handler())
    gc.collect()
    worker.idle(0.001)
    assert caplog.records == []


def test_background_tasks_outlive_their_handler(worker: _testing.Worker) -> None:
    finished: list[str] = []

    async def background() -> None:
        await asyncio.sleep(0.002)
        finished.append(VARIABLE.get())

    async def handler() -> Any:
        VARIABLE.set("inherited")
        return asyncio.create_task(background())

    task = result_of(worker, handler(), suspends=False)
    until(worker, task.done)
    assert finished == ["inherited"]


def test_spare_tasks_are_nobodys_business(worker: _testing.Worker) -> None:
    async def others() -> int:
        await asyncio.sleep(0)
        return len(asyncio.all_tasks())

    result_of(worker, returns_at_once())
    assert result_of(worker, others()) == 1


def test_anything_awaitable_can_be_stepped(worker: _testing.Worker) -> None:
    class Custom:
        def __await__(self) -> Generator[Any, Any, str]:
            yield from asyncio.sleep(0.001).__await__()
            return "custom"

    class Immediate:
        def __await__(self) -> Iterator[Any]:
            return iter(())

    @types.coroutine
    def generator() -> Generator[Any, Any, str]:
        yield
        return "generator"

    async def numbers() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0.001)
        yield 2

    assert result_of(worker, Custom(), suspends=True) == "custom"
    assert result_of(worker, Immediate(), suspends=False) is None  # type: ignore[arg-type]
    assert result_of(worker, generator(), suspends=True) == "generator"
    iterator = numbers()
    assert result_of(worker, iterator.__anext__(), suspends=False) == 1
    assert result_of(worker, iterator.__anext__(), suspends=True) == 2
    with pytest.raises(StopAsyncIteration):
        result_of(worker, iterator.__anext__(), suspends=False)
    with pytest.raises(TypeError, match="object of type int cannot be awaited"):
        result_of(worker, 1)  # type: ignore[arg-type]


def test_a_coroutine_that_is_not_pythons_own(worker: _testing.Worker) -> None:
    """Cython's coroutines are of their own type, without frames."""

    class Foreign(Coroutine[Any, Any, str]):
        def __init__(self) -> None:
            self.inner = returns_late_with_cleanup()

        def send(self, value: Any) -> Any:
            return self.inner.send(value)

        def throw(self, *args: Any) -> Any:
            return self.inner.throw(*args)

        def close(self) -> None:
            self.inner.close()

        def __await__(self) -> Generator[Any, Any, str]:
            return self.inner.__await__()

    async def returns_late_with_cleanup() -> str:
        try:
            await asyncio.sleep(0.01)
            return "finished"
        except asyncio.CancelledError:
            cleaned.append("cancelled")
            raise

    cleaned: list[str] = []
    assert result_of(worker, Foreign(), suspends=True) == "finished"
    assert worker.run(Foreign(), abandon_after=0.001) == [None]
    until(worker, lambda: cleaned == ["cancelled"])


def test_steps_do_not_nest(worker: _testing.Worker) -> None:
    inner = _testing.Worker.run

    async def nested() -> Any:
        return worker.step_in_step(returns_at_once())

    async def nested_late() -> Any:
        await asyncio.sleep(0)
        return worker.step_in_step(returns_at_once())

    assert inner is not None
    for handler in (nested, nested_late):
        with pytest.raises(RuntimeError, match="cannot be run while another one is running"):
            result_of(worker, handler())
    assert result_of(worker, returns_at_once()) is not None


def test_a_first_step_is_inside_eager_tasks_as_well(worker: _testing.Worker) -> None:
    if sys.version_info < (3, 12):
        pytest.skip("eager tasks are new in Python 3.12")

    async def handler() -> Any:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)
        try:
            mine = asyncio.current_task()
            at_once = asyncio.create_task(returns_at_once())
            late = asyncio.create_task(returns_a_tuple_late())
            return at_once.done(), mine is asyncio.current_task(), await late
        finally:
            loop.set_task_factory(None)

    assert result_of(worker, handler()) == (True, True, (1, 2))
