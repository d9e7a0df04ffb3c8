"""Work that runs after the response was sent."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

from .errors import line_of_error
from .hygiene import with_django_connections

__all__ = ["BackgroundTasks"]

_log = logging.getLogger("plectrum.background")
_P = ParamSpec("_P")

_Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], contextvars.Context]


class BackgroundTasks:
    """Functions to be called after the response was sent, one after the other.

    A handler takes it as a parameter of this type, or gives one to ``Response(background=…)``. They run even where one
    before them failed; what they raise is logged by ``plectrum.background``. A worker that stops waits for them, for
    ``DRAIN_TIMEOUT`` at most. They are gone with the process: what must not be lost belongs in a queue of its own.

    Example::

        @api.post("/orders", status=201)
        async def order(order: Order, tasks: BackgroundTasks) -> Order:
            tasks.add(send_confirmation, order.email)
            return order
    """

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: list[_Task] = []

    def add(self, function: Callable[_P, Any], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Adds a call.

        Parameters:
            function: ``async def``, run on the event loop; or plain, run on a thread, with Django's database
                connections looked after as for a view.
            args, kwargs: what it is called with.
        """
        self._tasks.append((function, args, kwargs, contextvars.copy_context()))

    def __len__(self) -> int:
        return len(self._tasks)

    async def _run(self) -> None:
        for function, args, kwargs, context in self._tasks:
            await _call(function, args, kwargs, context)


async def run(tasks: Callable[[], Any] | BackgroundTasks) -> None:
    """Runs what was to run after a response; called by the Rust binding.

    Parameters:
        tasks: a callable without arguments, or several tasks.
    """
    if isinstance(tasks, BackgroundTasks):
        await tasks._run()
    else:
        await _call(tasks, (), {}, contextvars.copy_context())


async def _call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], context: contextvars.Context
) -> None:
    try:
        if _is_async(function):
            awaitable: Awaitable[Any] = function(*args, **kwargs)
            await asyncio.get_running_loop().create_task(_awaited(awaitable), context=context)
        else:
            call = with_django_connections(function)
            await _call_sync(lambda: context.run(call, *args, **kwargs))
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises
        place = line_of_error(error)
        name = getattr(function, "__qualname__", repr(function))
        where = f" at {place}" if place else ""
        _log.exception("%s: %s: %s%s", name, type(error).__name__, error, where)


async def _call_sync(call: Callable[[], Any]) -> None:
    """On a thread; on the test's own where a test client calls, which sees the test's transaction there."""
    here = sys.modules.get("plectrum._here")
    if here is not None and isinstance(asyncio.get_running_loop(), here.InProcessEventLoop):
        here.call_here(call, (), None)
    else:
        await asyncio.to_thread(call)


async def _awaited(awaitable: Awaitable[Any]) -> None:
    await awaitable


def _is_async(function: Any) -> bool:
    function = inspect.unwrap(getattr(function, "func", function))
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
