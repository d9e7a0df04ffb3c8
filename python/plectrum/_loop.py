"""The asyncio event loop of a worker: its turns are run by the Rust runtime instead of ``run_forever``.

Everything asyncio promises (tasks, timers, readers, signals, child processes, threads) is inherited; only *when* a turn
runs, and how another thread asks for one, are different. The Rust half is ``crates/py/src/eventloop``.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import signal
import sys
import threading
from asyncio import events
from asyncio.log import logger
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from ._lanes import Lanes, is_djangos

if TYPE_CHECKING:

    class _SelectorEventLoop(asyncio.SelectorEventLoop):
        """What asyncio's loops have behind their public methods, alike from Python 3.11 to 3.14."""

        _ready: deque[Any]
        _closed: bool
        _debug: bool
        _thread_id: Any
        _current_handle: asyncio.Handle | None
        _default_executor: Any
        _executor_shutdown_called: bool
        _selector: Any
        _csock: Any
        _asyncgen_firstiter_hook: Any
        _asyncgen_finalizer_hook: Any

        def _check_running(self) -> None: ...
        def _check_closed(self) -> None: ...
        def _check_thread(self) -> None: ...
        def _check_callback(self, callback: Any, method: str) -> None: ...
        def _set_coroutine_origin_tracking(self, enabled: bool) -> None: ...
        def _process_events(self, event_list: Any) -> None: ...
else:
    _SelectorEventLoop = asyncio.SelectorEventLoop

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class WorkerEventLoop(_SelectorEventLoop):
    """An asyncio loop that is permanently running on its thread, one bounded turn at a time.

    Parameters:
        wake: asks the runtime for a turn; safe to call from any thread and from signal handlers.
        scheduler: where callbacks and timers are left (``crates/py/src/eventloop/scheduler.rs``).
    """

    def __init__(self, wake: Callable[[], None], scheduler: Any) -> None:
        self._scheduler = scheduler
        super().__init__()
        self._wake = wake
        scheduler.bind(self._ready)
        self._take_shortcuts()
        self._saved_hooks = sys.get_asyncgen_hooks()
        self._lanes = Lanes()
        #: The worker's groups (:mod:`plectrum.channels`).
        self.channels: Any = None

    # -- life ---------------------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Make this the current and running loop of the calling thread, as ``run_forever`` would, until :meth:`pause`.

        Raises:
            RuntimeError: another loop is running on this thread, or this one is.
        """
        self._check_running()
        self._set_coroutine_origin_tracking(self._debug)
        self._thread_id = threading.get_ident()
        self._saved_hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=self._asyncgen_firstiter_hook,
            finalizer=self._asyncgen_finalizer_hook,
        )
        asyncio.set_event_loop(self)
        events._set_running_loop(self)
        self._watch_signals()

    def pause(self) -> None:
        """Undo :meth:`resume`: code on this thread sees no running loop, and may run one of its own."""
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(-1)
        events._set_running_loop(None)
        asyncio.set_event_loop(None)
        sys.set_asyncgen_hooks(*self._saved_hooks)
        self._set_coroutine_origin_tracking(False)
        self._thread_id = None

    async def wind_down(self, grace: float) -> None:
        """Cancel every task and wait for them, then close async generators and the default executor.

        Parameters:
            grace: seconds the tasks have to finish; those still running are then reported and left behind.
        """
        tasks = asyncio.all_tasks(self) - {asyncio.current_task(self)}
        for task in tasks:
            task.cancel()
        if tasks:
            done, stuck = await asyncio.wait(tasks, timeout=grace)
            for task in done:
                self._report_failure(task, "unhandled exception while the worker was stopping")
            for task in stuck:
                self.call_exception_handler({"message": f"task ignored its cancellation for {grace} s", "task": task})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.shutdown_asyncgens()
        # Threads cannot be interrupted, so a blocked one must not hold the worker.
        self._lanes.close()
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False, cancel_futures=True)

    def _report_failure(self, task: asyncio.Task[Any], message: str) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.call_exception_handler({"message": message, "exception": error, "task": task})

    # -- turns --------------------------------------------------------------------------------------------------------

    def run_turn(self, readable: bool) -> None:
        """Run one bounded turn: collect I/O if there is any, then due timers, then callbacks.

        Parameters:
            readable: whether the selector may have events; without it no system call is made.
        """
        self._scheduler.run_turn(self, readable)

    def collect_events(self) -> None:
        """Make callbacks of what the selector has."""
        self._process_events(self._selector.select(0))

    def run_handle(self, handle: asyncio.Handle) -> None:
        """Run a handle of asyncio's own, or any in debug mode.

        Parameters:
            handle: what is next.
        """
        if handle._cancelled:
            return
        if self._debug:
            self._run_timed(handle)
        else:
            handle._run()

    def _run_timed(self, handle: asyncio.Handle) -> None:
        self._current_handle = handle
        started = self.time()
        try:
            handle._run()
        finally:
            self._current_handle = None
        if (elapsed := self.time() - started) >= self.slow_callback_duration:
            logger.warning("Executing %s took %.3f seconds", handle, elapsed)

    def _run_once(self) -> None:
        raise RuntimeError("The worker's event loop is run by the runtime; it cannot be run from Python.")

    # -- asking for a turn --------------------------------------------------------------------------------------------

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> Any:
        """As in asyncio, which calls it for ``call_later`` too; timers wait in Rust."""
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        return self._scheduler.call_at(when, callback, *args, context=context)

    def set_debug(self, enabled: bool) -> None:
        """As in asyncio."""
        super().set_debug(enabled)
        self._take_shortcuts()

    def close(self) -> None:
        """As in asyncio."""
        super().close()
        self._take_shortcuts()
        self._scheduler.clear()

    def _take_shortcuts(self) -> None:
        """Puts what is quicker over what is inherited, unless asyncio has something to check."""
        shortcuts = {name: getattr(self._scheduler, name) for name in ("call_soon", "call_later", "call_at")}
        shortcuts["create_future"] = functools.partial(asyncio.Future, loop=self)
        for name, shortcut in shortcuts.items():
            if self._debug or self._closed:
                self.__dict__.pop(name, None)
            else:
                self.__dict__[name] = shortcut

    def run_in_executor(self, executor: Any, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        """As in asyncio; what asgiref means for its one thread goes to the request's own."""
        if is_djangos(executor):
            return asyncio.wrap_future(self._lanes.submit(func, *args), loop=self)
        return super().run_in_executor(executor, func, *args)

    def _write_to_self(self) -> None:
        # asyncio would write to its self-pipe here; waking the runtime directly saves the read, and most of the writes.
        self._wake()

    def _watch_signals(self) -> None:
        # Python's own handlers run when Python code runs: a signal makes the selector readable, and so a turn happens.
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)

    def remove_signal_handler(self, sig: int) -> bool:
        """As in asyncio; asyncio's version also stops watching for signals after the last removal."""
        removed = super().remove_signal_handler(sig)
        self._watch_signals()
        return removed

    # -- tasks --------------------------------------------------------------------------------------------------------

    def new_spare(
        self, body: Coroutine[Any, Any, Any], context: contextvars.Context
    ) -> tuple[asyncio.Task[Any], Callable[[], None]]:
        """Make a task whose first step is not scheduled, but returned to be called by the runtime when there is a need.

        Parameters:
            body: the coroutine the task will drive.
            context: the context it will run in; used for no other handle.

        Returns:
            the task and its first step.
        """
        task = asyncio.Task(body, loop=self, context=context)
        others: list[Any] = []
        # Other threads may have queued callbacks in between.
        while (handle := self._ready.pop())._context is not context:
            others.append(handle)
        self._ready.extend(reversed(others))
        # Not a task yet as far as anyone else is concerned.
        asyncio.tasks._unregister_task(task)
        self._expect_destruction(task, True)
        return task, handle._callback

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Show a spare task to ``asyncio.all_tasks``: it has become a request's own."""
        asyncio.tasks._register_task(task)
        self._expect_destruction(task, False)

    @staticmethod
    def _expect_destruction(task: Any, expected: bool) -> None:
        task._log_destroy_pending = not expected  # asyncio reports tasks that are dropped before they are done
