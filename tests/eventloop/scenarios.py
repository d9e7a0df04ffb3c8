"""Handlers that use asyncio in every way we could think of; each tells what it saw."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import Any

import pytest

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")

Handler = Callable[[], Coroutine[Any, Any, Any]]


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


async def sleeps_that_end_together() -> Any:
    """Timers first, then who slept, then what these have queued; each in its order and in its own context."""
    loop = asyncio.get_running_loop()
    order: list[str] = []

    async def sleeper(name: str) -> None:
        VARIABLE.set(name)
        try:
            await asyncio.sleep(0.001)
        finally:
            order.append(f"{name} is {VARIABLE.get()}")
            loop.call_soon(order.append, f"after {name}")

    for beside in ("nothing", "a timer before", "a timer after", "a callback"):
        begin = functools.partial(loop.call_later, 0.001, loop.call_soon, order.append, "of a timer")
        tasks = [asyncio.ensure_future(sleeper(f"{number}")) for number in range(4)]
        if beside == "a timer before":
            begin()
        await asyncio.sleep(0)
        if beside == "a timer after":
            begin()
        time.sleep(0.005)  # all of them are due
        if beside == "a callback":
            loop.call_soon(order.append, "queued")
            tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
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
    sleeps_that_end_together,
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
