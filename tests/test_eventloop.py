"""Coroutines on the worker's event loop behave as they do under ``asyncio.run``; what the worker adds to it works."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import types
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any

import pytest

from plectrum._core import _testing

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")

type_of = type
Handler = Callable[[], Coroutine[Any, Any, Any]]


@pytest.fixture
def worker() -> Iterator[_testing.Worker]:
    """A worker on this thread, closed afterwards."""
    worker = _testing.Worker(threads=2, capacity=2)
    yield worker
    worker.close(1.0)


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


# -- as under asyncio.run --------------------------------------------------------------------------
#
# Each of these is run by asyncio and by the worker; both must tell the same.


def describe(error: BaseException | None) -> str:
    """An exception with its arguments and what it came from."""
    if error is None:
        return "none"
    inner = [describe(e) for e in error.exceptions] if isinstance(error, BaseExceptionGroup) else []
    return f"{type(error).__name__}{error.args[:1]}{inner} from {describe(error.__context__)}"


async def returns_at_once() -> Any:
    return {"message": "Hello, World!"}


async def returns_a_tuple_late() -> Any:
    await asyncio.sleep(0)
    return (1, 2)


async def returns_an_exception_late() -> Any:
    await asyncio.sleep(0.001)
    return describe(ValueError("returned, not raised"))


async def raises_at_once() -> Any:
    raise ValueError("early")


async def raises_late() -> Any:
    await asyncio.sleep(0.001)
    raise ValueError("late")


async def raises_stop_iteration() -> Any:
    raise StopIteration("no")


async def raises_cancelled_error() -> Any:
    raise asyncio.CancelledError("by itself")


async def raises_cancelled_error_late() -> Any:
    await asyncio.sleep(0)
    raise asyncio.CancelledError("by itself")


async def yields_nothing_many_times() -> Any:
    for _ in range(1000):
        await asyncio.sleep(0)
    return "done"


async def awaits_a_done_future() -> Any:
    future = asyncio.get_running_loop().create_future()
    future.set_result("ready")
    return await future


async def awaits_a_failing_future() -> Any:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, KeyError("later"))
    try:
        await future
    except KeyError as error:
        return describe(error)


async def awaits_rubbish() -> Any:
    @types.coroutine
    def rubbish() -> Generator[Any, Any, Any]:
        yield 42

    try:
        await rubbish()
    except RuntimeError as error:
        return str(error)


async def awaits_itself() -> Any:
    task = asyncio.current_task()
    assert task is not None
    try:
        await task
    except RuntimeError as error:
        return str(error).startswith("Task cannot await on itself")


async def awaits_a_future_of_another_loop() -> Any:
    other = asyncio.new_event_loop()
    try:
        await other.create_future()
    except RuntimeError as error:
        return "attached to a different loop" in str(error)
    finally:
        other.close()


async def current_task_is_the_same_throughout() -> Any:
    before = asyncio.current_task()
    await asyncio.sleep(0)
    return before is not None and before is asyncio.current_task() and before in asyncio.all_tasks()


async def timeout_that_expires() -> Any:
    try:
        async with asyncio.timeout(0.005):
            await asyncio.sleep(10)
    except TimeoutError as error:
        task = asyncio.current_task()
        assert task is not None
        return describe(error), task.cancelling()


async def timeout_that_does_not_expire() -> Any:
    async with asyncio.timeout(10) as scope:
        value = await asyncio.sleep(0.001, "in time")
    return value, scope.expired()


async def timeout_unused() -> Any:
    async with asyncio.timeout(10):
        return "no await"


async def timeout_in_the_past() -> Any:
    try:
        async with asyncio.timeout(-1):
            await asyncio.sleep(10)
    except TimeoutError:
        return "expired"


async def timeout_in_the_past_swallowed() -> Any:
    async with asyncio.timeout(-1) as scope:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            scope.reschedule(None)
    return "unreachable"


async def task_group_succeeds() -> Any:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.sleep(0.001 * n, n)) for n in range(5)]
    return [task.result() for task in tasks]


async def task_group_fails() -> Any:
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(raises_late())
            group.create_task(asyncio.sleep(10))
    except ExceptionGroup as errors:
        return describe(errors.exceptions[0]), asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def task_group_of_nothing() -> Any:
    async with asyncio.TaskGroup():
        pass
    return "empty"


async def gathers() -> Any:
    return await asyncio.gather(returns_at_once(), returns_a_tuple_late(), raises_late(), return_exceptions=True) and 1


async def waits_for() -> Any:
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.001)
    except TimeoutError:
        return "timed out"


async def cancels_itself_and_returns() -> Any:
    asyncio.current_task().cancel("please")  # type: ignore[union-attr]
    return "never seen"


async def cancels_itself_and_raises() -> Any:
    asyncio.current_task().cancel()  # type: ignore[union-attr]
    raise ValueError("seen")


async def cancels_itself_then_sleeps() -> Any:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("please")
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as error:
        return describe(error), task.cancelling(), task.uncancel()


async def cancels_itself_then_yields() -> Any:
    task = asyncio.current_task()
    assert task is not None
    task.cancel("please")
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError as error:
        return describe(error), task.cancelling()


async def cancels_itself_then_awaits_something_that_cannot_be_cancelled() -> Any:
    class Stubborn(asyncio.Future[Any]):
        def cancel(self, msg: Any = None) -> bool:
            return False

    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    future = Stubborn(loop=loop)
    loop.call_soon(future.set_result, "value")
    task.cancel("please")
    try:
        await future
    except asyncio.CancelledError as error:
        return describe(error)


async def cancels_itself_and_takes_it_back() -> Any:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    return task.uncancel()


async def is_cancelled_by_another_task() -> Any:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(0.002, task.cancel, "from outside")
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as error:
        seen = describe(error), task.cancelling(), task.uncancel()
    await asyncio.sleep(0)
    return seen


async def is_cancelled_and_lets_it_pass() -> Any:
    asyncio.get_running_loop().call_later(0.002, asyncio.current_task().cancel)  # type: ignore[union-attr]
    await asyncio.sleep(10)


async def is_cancelled_while_shielding() -> Any:
    inner = asyncio.ensure_future(asyncio.sleep(0.01, "inner"))
    asyncio.get_running_loop().call_later(0.001, asyncio.current_task().cancel)  # type: ignore[union-attr]
    try:
        await asyncio.shield(inner)
    except asyncio.CancelledError:
        return await inner


async def context_of_a_handler() -> Any:
    before = VARIABLE.get()
    VARIABLE.set("mine")
    await asyncio.sleep(0.001)
    during = VARIABLE.get()
    child = await asyncio.create_task(reads_the_variable())
    thread = await asyncio.to_thread(VARIABLE.get)
    return before, during, child, thread


async def reads_the_variable() -> Any:
    return VARIABLE.get()


async def exception_context() -> Any:
    try:
        try:
            await asyncio.sleep(0)
            raise KeyError("first")
        except KeyError:
            await asyncio.sleep(0)
            raise ValueError("second")  # noqa: B904
    except ValueError as error:
        return describe(error)


async def exception_after_a_caught_one() -> Any:
    failing = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(failing.set_exception, KeyError("caught"))
    with pytest.raises(KeyError, match="caught"):
        await failing
    error = ValueError("unrelated")
    try:
        raise error
    except ValueError:
        return describe(error)


async def callbacks_of_a_finished_handler() -> Any:
    order: list[Any] = []
    task = asyncio.current_task()
    assert task is not None
    task.add_done_callback(lambda done: order.append(("done", done.result() is order)))
    asyncio.get_running_loop().call_later(0.003, order.append, "later")
    return order


async def locks_and_queues() -> Any:
    lock, queue = asyncio.Lock(), asyncio.Queue[int](1)

    async def produce() -> None:
        for n in range(20):
            async with lock:
                await queue.put(n)

    producer = asyncio.create_task(produce())
    got = [await queue.get() for _ in range(20)]
    await producer
    return got


async def threads() -> Any:
    def work() -> Any:
        return threading.current_thread() is not threading.main_thread()

    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(work), await loop.run_in_executor(None, work), await wakes_from_a_thread()


async def wakes_from_a_thread() -> Any:
    future = asyncio.get_running_loop().create_future()
    thread = threading.Thread(target=lambda: future.get_loop().call_soon_threadsafe(future.set_result, "woken"))
    thread.start()
    return await future


async def threadsafe_coroutine() -> Any:
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(
        lambda: asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, "inner"), loop).result(5)
    )


async def close(writer: asyncio.StreamWriter) -> None:
    """Close and wait, so that no socket is left to the garbage collector."""
    writer.close()
    await writer.wait_closed()


async def streams() -> Any:
    closed = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        await close(writer)
        closed.set()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        lines = []
        for n in range(50):
            writer.write(f"line {n}\n".encode())
            lines.append(await reader.readline())
        await close(writer)
        await closed.wait()
    return lines


async def large_stream() -> Any:
    closed = asyncio.Event()

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(64):
            writer.write(b"x" * 65536)
            await writer.drain()
        await close(writer)
        closed.set()

    async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await asyncio.sleep(0.01)
        size = len(await reader.read(-1))
        await close(writer)
        await closed.wait()
    return size


async def reader_that_does_not_drain() -> Any:
    """The selector is level-triggered: what is left unread is reported again."""
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    left.setblocking(False)
    got, finished = bytearray(), loop.create_future()

    def read_one() -> None:
        got.extend(left.recv(1))
        if len(got) == 10:
            loop.remove_reader(left)
            finished.set_result(None)

    loop.add_reader(left, read_one)
    right.send(b"0123456789")
    await finished
    left.close()
    right.close()
    return bytes(got)


async def processes() -> Any:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input()); raise SystemExit(3)", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(b"hello\n")
    return output, process.returncode


async def loop_signals() -> Any:
    loop = asyncio.get_running_loop()
    received = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, received.set_result, "received")
    os.kill(os.getpid(), signal.SIGUSR1)
    value = await asyncio.wait_for(received, 5)
    return value, loop.remove_signal_handler(signal.SIGUSR1)


async def async_generators() -> Any:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            for n in range(10):
                await asyncio.sleep(0)
                yield n
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async for n in numbers():
        if n == 2:
            break
    for _ in range(10):
        await asyncio.sleep(0)
    return closed


async def loop_of_a_handler() -> Any:
    loop = asyncio.get_running_loop()
    with pytest.raises(RuntimeError):
        asyncio.run(coroutine := asyncio.sleep(0))
    coroutine.close()
    return loop is asyncio.get_event_loop(), loop.is_running(), loop.is_closed()


async def stack_of_a_task() -> Any:
    task = asyncio.current_task()
    assert task is not None
    await asyncio.sleep(0)
    stacks = []
    asyncio.get_running_loop().call_soon(lambda: stacks.append([frame.f_code.co_name for frame in task.get_stack()]))
    await asyncio.sleep(0.001)
    coroutine: Any = task.get_coro()
    return stacks, coroutine.__name__, coroutine.cr_code.co_name, "stack_of_a_task" in repr(task)


async def attributes_of_a_task() -> Any:
    task: Any = asyncio.current_task()
    seen = getattr(task, "left_over", None)
    task.left_over = True
    return seen


async def weak_references_to_a_task() -> Any:
    task = asyncio.current_task()
    assert task is not None
    seen = weakref.getweakrefcount(task) if sys.version_info >= (3, 14) else len(SEEN_WEAKLY)
    SEEN_WEAKLY[task] = "kept"
    return seen


SEEN_WEAKLY: weakref.WeakKeyDictionary[asyncio.Task[Any], str] = weakref.WeakKeyDictionary()


async def anyio_scopes() -> Any:
    anyio = pytest.importorskip("anyio")
    with anyio.move_on_after(0.005) as scope:
        await anyio.sleep(10)
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0.001)
    with anyio.CancelScope():
        pass
    value = await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(asyncio.sleep, 0.001, "there and back"))
    return scope.cancelled_caught, value, anyio.get_current_task().id == id(asyncio.current_task())


async def anyio_scope_at_once() -> Any:
    anyio = pytest.importorskip("anyio")
    with anyio.CancelScope() as scope:
        scope.cancel()
    return scope.cancel_called


SCENARIOS: list[Handler] = [
    returns_at_once,
    returns_a_tuple_late,
    returns_an_exception_late,
    raises_at_once,
    raises_late,
    raises_stop_iteration,
    raises_cancelled_error,
    raises_cancelled_error_late,
    yields_nothing_many_times,
    awaits_a_done_future,
    awaits_a_failing_future,
    awaits_rubbish,
    awaits_itself,
    awaits_a_future_of_another_loop,
    current_task_is_the_same_throughout,
    timeout_that_expires,
    timeout_that_does_not_expire,
    timeout_unused,
    timeout_in_the_past,
    timeout_in_the_past_swallowed,
    task_group_succeeds,
    task_group_fails,
    task_group_of_nothing,
    gathers,
    waits_for,
    cancels_itself_and_returns,
    cancels_itself_and_raises,
    cancels_itself_then_sleeps,
    cancels_itself_then_yields,
    cancels_itself_then_awaits_something_that_cannot_be_cancelled,
    cancels_itself_and_takes_it_back,
    is_cancelled_by_another_task,
    is_cancelled_and_lets_it_pass,
    is_cancelled_while_shielding,
    context_of_a_handler,
    exception_context,
    exception_after_a_caught_one,
    locks_and_queues,
    threads,
    wakes_from_a_thread,
    threadsafe_coroutine,
    streams,
    large_stream,
    reader_that_does_not_drain,
    processes,
    loop_signals,
    async_generators,
    loop_of_a_handler,
    stack_of_a_task,
    attributes_of_a_task,
    weak_references_to_a_task,
    anyio_scopes,
    anyio_scope_at_once,
]


async def observed(scenario: Handler) -> Any:
    """What a scenario returns, or a description of what it raises."""
    task = asyncio.ensure_future(scenario())
    await asyncio.wait([task])
    try:
        return task.result()
    except BaseException as error:
        return describe(error)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_handler_sees_what_asyncio_would_show_it(worker: _testing.Worker, scenario: Handler) -> None:
    expected = asyncio.run(observed(scenario))
    # Several times, because a handler may find what the one before it left behind; the last ones run together.
    together = [scenario] * (1 if scenario is loop_signals else 2)
    for scenarios in ([scenario], [returns_at_once, scenario], [returns_at_once, *together]):
        for each, report in zip(scenarios, worker.run(*(s() for s in scenarios)), strict=True):
            assert report is not None
            _, value, error = report
            assert each is returns_at_once or (describe(error) if error is not None else value) == expected


def test_many_scenarios_at_once(worker: _testing.Worker) -> None:
    several = [s for s in SCENARIOS if s is not loop_signals] * 4
    expected = {s: asyncio.run(observed(s)) for s in set(several)}
    for scenario, report in zip(several, worker.run(*(s() for s in several)), strict=True):
        assert report is not None
        _, value, error = report
        assert (describe(error) if error is not None else value) == expected[scenario]


# -- the first step --------------------------------------------------------------------------------


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


# -- cancellation by the client --------------------------------------------------------------------


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


# -- the pump --------------------------------------------------------------------------------------


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
        return len(loop._scheduled)

    assert result_of(worker, handler()) < 200
    assert result_of(worker, timeout_that_does_not_expire()) == ("in time", False)


def test_timers_of_handlers_that_finish_at_once_are_swept_out(worker: _testing.Worker) -> None:
    async def handler() -> int:
        loop: Any = asyncio.get_running_loop()
        async with asyncio.timeout(1000):
            return len(loop._scheduled)

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


# -- the end ---------------------------------------------------------------------------------------


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


# -- sync handlers ---------------------------------------------------------------------------------


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
    threading.Timer(0.05, release.set).start()
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
