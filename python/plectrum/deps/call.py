"""The flat plan of a call: every dependency in order, then the handler. Nothing is inspected on a request."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["Arguments", "CallPlan", "Step"]


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Which slots a function is called with.

    Parameters:
        positional: slots in order.
        named: name and slot of what it takes by name only.
    """

    positional: tuple[int, ...] = ()
    named: tuple[tuple[str, int], ...] = ()

    def call(self, function: Callable[..., Any], slots: list[Any]) -> Any:
        """Calls ``function``."""
        return function(*[slots[slot] for slot in self.positional], **{name: slots[slot] for name, slot in self.named})


@dataclasses.dataclass(frozen=True)
class Step:
    """One dependency.

    Parameters:
        function: what is called; a generator as a context manager.
        arguments: its arguments.
        slot: where its value goes.
        kind: ``call``, ``await``, ``with``, ``async with``, or ``either`` where only the result tells.
        name: for messages.
    """

    function: Callable[..., Any]
    arguments: Arguments
    slot: int
    kind: str
    name: str

    async def run(self, slots: list[Any], stack: contextlib.AsyncExitStack | None) -> None:
        """Makes the value; ``stack`` keeps what has to be cleaned up."""
        value = self.arguments.call(self.function, slots)
        if self.kind == "await":
            value = await value
        elif self.kind == "with" and stack is not None:
            value = stack.enter_context(value)
        elif self.kind == "async with" and stack is not None:
            value = await stack.enter_async_context(value)
        elif self.kind == "either" and inspect.isawaitable(value):
            value = await value
        slots[self.slot] = value


@dataclasses.dataclass(frozen=True)
class CallPlan:
    """Dependencies and the handler that needs them.

    Parameters:
        steps: dependencies, each after those it needs itself.
        arguments: the handler's arguments.
        size: how many slots there are: the route's parameters, then one for each step.
    """

    steps: tuple[Step, ...]
    arguments: Arguments
    size: int

    def bind(self, handler: Callable[..., Any], *, sync: bool) -> Callable[..., Any]:
        """A function of the route's parameters, in order, that runs everything and returns the handler's result.

        Parameters:
            handler: the user's function.
            sync: whether it is a plain function, which runs with its dependencies on a thread of the pool.
        """
        cleans_up = any(step.kind in ("with", "async with") for step in self.steps)
        run = self._cleaning(handler) if cleans_up else self._plain(handler)
        return functools.wraps(handler)(_driven(run) if sync else run)

    def _plain(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        blank = [None] * len(self.steps)

        async def run(*values: Any) -> Any:
            slots = [*values, *blank]
            for step in self.steps:
                await step.run(slots, None)
            result = self.arguments.call(handler, slots)
            return await result if inspect.isawaitable(result) else result

        return run

    def _cleaning(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        blank = [None] * len(self.steps)

        async def run(*values: Any) -> Any:
            slots, result, finished = [*values, *blank], None, False
            async with contextlib.AsyncExitStack() as stack:
                for step in self.steps:
                    await step.run(slots, stack)
                result = self.arguments.call(handler, slots)
                if inspect.isawaitable(result):
                    result = await result
                finished = True
            if not finished:
                names = ", ".join(f"{step.name}()" for step in self.steps if step.kind in ("with", "async with"))
                raise RuntimeError(
                    f"A dependency ({names}) caught an exception at its 'yield' and did not raise it again, so there "
                    "is nothing to answer. Raise it again, or another one."
                )
            return result

        return run


def _driven(run: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine function without anything to wait for, as a plain function."""

    def driven(*values: Any) -> Any:
        coroutine = run(*values)
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value
        coroutine.close()
        raise RuntimeError("A dependency of a sync handler waits for something. Write the handler with 'async def'.")

    return driven
