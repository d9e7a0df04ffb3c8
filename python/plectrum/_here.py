"""The event loop of :class:`plectrum.testing.TestClient`: sync code stays on the calling thread.

A test's transaction belongs to its thread. So what a worker would run on other threads (``sync=True`` handlers, and the
ORM calls behind ``await``, which Django sends to one thread of asgiref's) runs here where the test itself runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple

from ._loop import WorkerEventLoop
from .hygiene import keeps_connections

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

__all__ = ["InProcessEventLoop", "call_here", "calling_loop", "outside_asyncio", "run_and_keep"]

#: Loops whose sync code runs now, innermost last.
_calling: list[InProcessEventLoop] = []
#: Seconds that nested coroutines get.
_PATIENCE = 30.0


class InProcessEventLoop(WorkerEventLoop):
    """A worker's loop that has no threads for Django's ORM."""

    _calls = 0

    def run_in_executor(self, executor: Any, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """As in asyncio; what asgiref means for its one thread is called at once, on this one."""
        if not _is_djangos(executor):
            return super().run_in_executor(executor, func, *args)
        future: asyncio.Future[_T] = self.create_future()
        self._calls += 1
        known = _loop_of_thread()
        try:
            future.set_result(call_here(func, args, None))
        except Exception as error:  # noqa: BLE001 - handed on to who awaits it
            future.set_exception(error)
        finally:
            self._calls -= 1
            _restore_loop(known)
        return future

    def run_nested(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Runs a coroutine to its end for sync code that waits for it on this thread.

        Errors:
            RuntimeError: it waits for what only goes on when the sync code has returned.
        """
        outer = asyncio.current_task(self)
        if outer is not None:
            asyncio.tasks._leave_task(self, outer)
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(coroutine)
            give_up = time.monotonic() + _PATIENCE
            while not task.done():
                self.run_turn(True)
                if not self._ready and not task.done():
                    if time.monotonic() > give_up:
                        raise RuntimeError(
                            "A handler behind synchronous middleware waits for Rust's own connections, which a test's "
                            "client cannot serve meanwhile. Run the test in a transaction (TestCase, django_db)."
                        )
                    time.sleep(0.0002)
            return task.result()
        finally:
            asyncio._set_running_loop(None)
            if outer is not None:
                asyncio.tasks._enter_task(self, outer)

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """As in asyncio; refused to sync code on this thread that would wait for it here, so asgiref makes a loop."""
        if self._calls and threading.get_ident() == self._thread_id:
            raise RuntimeError("This thread runs sync code; it cannot run its loop meanwhile.")
        return super().call_soon_threadsafe(callback, *args, context=context)


def calling_loop() -> InProcessEventLoop | None:
    """The loop whose sync code runs on this thread now."""
    loop = _calling[-1] if _calling else None
    return loop if loop is not None and loop._thread_id == threading.get_ident() else None


def call_here(function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any] | None) -> Any:
    """Calls a sync function on this thread, where Django's synchronous ORM is allowed meanwhile."""
    return run_and_keep(function, arguments, keywords)[0]


def run_and_keep(
    function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any] | None
) -> tuple[Any, contextvars.Context]:
    """As :func:`call_here`; gives the context besides, with what the function activated."""
    loop = asyncio._get_running_loop()
    calling = [loop] if isinstance(loop, InProcessEventLoop) else []
    _calling.extend(calling)
    try:
        with outside_asyncio():
            context = contextvars.copy_context()
            context.run(keeps_connections.set, True)
            return context.run(function, *arguments, **(keywords or {})), context
    finally:
        del _calling[len(_calling) - len(calling) :]


@contextlib.contextmanager
def outside_asyncio() -> Generator[None]:
    """Hides the running loop: Django refuses its synchronous ORM, and its connections, where there is one."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


def _is_djangos(executor: Any) -> bool:
    """Whether it is what asgiref runs ``sync_to_async`` on: its one thread, or the thread below ``async_to_sync``."""
    asgiref: Any = sys.modules.get("asgiref.sync")
    if executor is None or asgiref is None:
        return False
    below: Any = asgiref.CurrentThreadExecutor
    return executor is asgiref.SyncToAsync.single_thread_executor or isinstance(executor, below)


#: What asgiref notes of the loop a thread works for.
_NOTED = ("main_event_loop", "main_event_loop_pid", "task_context")


def _loop_of_thread() -> dict[str, Any]:
    local: Any = sys.modules["asgiref.sync"].SyncToAsync.threadlocal
    return {name: getattr(local, name) for name in _NOTED if hasattr(local, name)}


def _restore_loop(known: Mapping[str, Any]) -> None:
    """This thread works for who it worked for before."""
    local: Any = sys.modules["asgiref.sync"].SyncToAsync.threadlocal
    for name in _NOTED:
        if name in known:
            setattr(local, name, known[name])
        elif hasattr(local, name):
            delattr(local, name)
