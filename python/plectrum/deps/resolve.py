"""Dependencies of dependencies → one flat plan, when a route is registered."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plectrum.errors import ConfigurationError, line_of

from .call import Arguments, CallPlan, Step
from .marker import Dependency

if TYPE_CHECKING:
    from plectrum.signature import Parameter

__all__ = ["Need", "Overrides", "Resolver", "provider_kind"]

Provider = Callable[..., Any]
#: Provider → what stands in for it, in tests.
Overrides = Mapping[Provider, Provider]


@dataclasses.dataclass(frozen=True)
class Need:
    """A parameter that a dependency fills.

    Parameters:
        name: Python name.
        provider: makes the value.
        cache: whether one value serves the whole request.
        keyword_only: whether the function takes it by name only.
    """

    name: str
    provider: Provider
    cache: bool
    keyword_only: bool = False


@dataclasses.dataclass
class _Planned:
    """A step whose slots are not numbered yet: parameters count from 0, steps from -1 downwards."""

    function: Provider
    arguments: Arguments
    kind: str
    name: str


class Resolver:
    """Collects what a route needs.

    Parameters:
        read: the parameters and needs of a function, in order.
        overrides: providers that others stand in for.
        sync: whether the handler is a plain function.
    """

    def __init__(
        self, read: Callable[[Provider], Iterable[Parameter | Need]], overrides: Overrides, *, sync: bool
    ) -> None:
        self._read = read
        self._overrides = overrides
        self._sync = sync
        self.parameters: list[Parameter] = []
        self._planned: list[_Planned] = []
        self._made: dict[Any, int] = {}

    def resolve(self, handler: Provider, dependencies: Sequence[Dependency]) -> CallPlan | None:
        """The plan of ``handler``; ``None`` where it needs nothing but the request's values.

        Parameters:
            handler: the user's function.
            dependencies: run for what they do, before the handler's own.

        Errors:
            ConfigurationError: a cycle, an async dependency of a sync handler, parameters that contradict each other.
        """
        for dependency in dependencies:
            if dependency.provider is None:
                raise ConfigurationError(f"{line_of(handler)}: dependencies=[Depends()] names no provider.")
            self._step(Need("", dependency.provider, dependency.cache), (handler,))
        arguments = self._arguments(handler, (handler,))
        if not self._planned:
            return None
        first = len(self.parameters)
        steps = [
            Step(step.function, _numbered(step.arguments, first), first + index, step.kind, step.name)
            for index, step in enumerate(self._planned)
        ]
        return CallPlan(tuple(steps), _numbered(arguments, first), first + len(steps))

    def _arguments(self, function: Provider, path: tuple[Provider, ...]) -> Arguments:
        positional: list[int] = []
        named: list[tuple[str, int]] = []
        for item in self._read(function):
            slot = self._step(item, path) if isinstance(item, Need) else self._parameter(item, function)
            if item.keyword_only:
                named.append((item.name, slot))
            else:
                positional.append(slot)
        return Arguments(tuple(positional), tuple(named))

    def _step(self, need: Need, path: tuple[Provider, ...]) -> int:
        provider = self._overrides.get(need.provider, need.provider) if _hashable(need.provider) else need.provider
        if provider in path:
            names = " → ".join(_name(function) for function in (*path[path.index(provider) :], provider))
            raise ConfigurationError(f"{line_of(path[0])}: dependencies need each other: {names}.")
        key = provider if _hashable(provider) else id(provider)
        if need.cache and key in self._made:
            return self._made[key]
        kind = provider_kind(provider)
        if self._sync and kind in ("await", "async with"):
            raise ConfigurationError(
                f"{line_of(path[0])}: {_name(path[0])}() runs in the thread pool (sync=True), and its dependency "
                f"{_name(provider)}() is 'async def'. Write the handler with 'async def', or the dependency with 'def'."
            )
        arguments = self._arguments(provider, (*path, provider))
        self._planned.append(_Planned(_entered(provider, kind), arguments, kind, _name(provider)))
        slot = -len(self._planned)
        if need.cache:
            self._made[key] = slot
        return slot

    def _parameter(self, parameter: Parameter, function: Provider) -> int:
        """The slot of a parameter; the same value of the request is read once, whoever asks for it."""
        for index, known in enumerate(self.parameters):
            if (known.source, known.wire) != (parameter.source, parameter.wire):
                continue
            if known.source != "request" and not _alike(known, parameter):
                raise ConfigurationError(
                    f"{line_of(function)}: {_name(function)}({parameter.name}) reads the {parameter.source} "
                    f"parameter {parameter.wire!r} with another type or default than a function of the same route. "
                    "Make them alike, or give one an alias."
                )
            return index
        self.parameters.append(dataclasses.replace(parameter, keyword_only=False))
        return len(self.parameters) - 1


def provider_kind(provider: Provider) -> str:
    """How a provider's value is had; see :class:`Step`."""
    function: Any = provider
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isclass(function):
        return "call"
    for candidate in (function, getattr(function, "__call__", None)):  # noqa: B004 - a method, to be inspected
        if inspect.isasyncgenfunction(candidate):
            return "async with"
        if inspect.isgeneratorfunction(candidate):
            return "with"
        if inspect.iscoroutinefunction(candidate):
            return "await"
    return "call" if inspect.isroutine(function) else "either"


def _entered(provider: Provider, kind: str) -> Provider:
    if kind == "with":
        return contextlib.contextmanager(provider)
    if kind == "async with":
        return contextlib.asynccontextmanager(provider)
    return provider


def _numbered(arguments: Arguments, first: int) -> Arguments:
    """Steps counted from -1 downwards come behind the ``first`` parameters."""

    def number(slot: int) -> int:
        return slot if slot >= 0 else first - slot - 1

    return Arguments(
        tuple(number(slot) for slot in arguments.positional),
        tuple((name, number(slot)) for name, slot in arguments.named),
    )


def _alike(one: Parameter, other: Parameter) -> bool:
    return (one.schema, one.default, one.factory, one.many) == (other.schema, other.default, other.factory, other.many)


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)
