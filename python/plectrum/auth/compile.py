"""Access of all routes → what Rust compiles gates of: schemes, guards, limits, and the functions they ask."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from .._inherit import INHERIT, several
from ..errors import ConfigurationError, line_of
from ..guards import AllowAny, Guard, IsAuthenticated, as_guard
from ..throttling import limits_of
from .answers import Answer
from .scheme import Loader, Scheme

if TYPE_CHECKING:
    from ..routing import Route

__all__ = ["Access", "DocsAccess", "is_async"]


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    target: Any = cast("Any", function).func if isinstance(function, functools.partial) else function
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(getattr(target, "__call__", None))  # noqa: B004


@dataclasses.dataclass(frozen=True)
class DocsAccess:
    """Who may see an API's documents.

    Parameters:
        auth: schemes that authenticate.
        guard: who may pass; everybody where ``None``.
        where: the user's line.
    """

    auth: Any
    guard: Any
    where: str


class Access:
    """Collects what the gates of an API share; the same scheme or guard on many routes is registered once.

    Attributes:
        schemes: descriptions, in the order of their numbers.
        callbacks: function, ``async``, ``threaded`` or ``inline``, and name of each that Rust asks.
        loaders: what finds the users of each scheme.
    """

    def __init__(self) -> None:
        self.schemes: list[dict[str, Any]] = []
        self.callbacks: list[tuple[Callable[..., Any], str, str]] = []
        self.loaders: list[Loader | None] = []
        self._numbers: dict[int, int] = {}
        self._guards: dict[Any, int] = {}
        # Keeps alive what is told apart by its id.
        self._kept: list[Any] = []

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        return {"schemes": self.schemes}

    def callback(
        self, function: Callable[..., Any], answer: Callable[[Any], Answer], name: str, *, inline: bool = False
    ) -> int:
        """Registers a function; see :class:`~plectrum.auth.scheme.Registry`. ``inline`` promises never to block."""
        if is_async(function):

            async def asked(request: Any, credential: Any) -> Answer:
                return answer(await function(request, credential))

            self.callbacks.append((asked, "async", name))
        else:
            self.callbacks.append((_plain(function, answer), "inline" if inline else "threaded", name))
        return len(self.callbacks) - 1

    def ask_guard(self, guard: Guard) -> int:
        """Registers a guard that Python decides."""
        key = guard.key()
        if key not in self._guards:
            answer = functools.partial(_permitted, guard)
            permission: Callable[..., Any] = guard.has_permission
            ask: Callable[..., Any]
            if is_async(permission):

                async def ask_later(request: Any, _credential: Any) -> Any:
                    return await permission(request)

                ask = ask_later
            else:

                def ask_now(request: Any, _credential: Any) -> Any:
                    return permission(request)

                ask = ask_now
            self._guards[key] = self.callback(ask, answer, type(guard).__qualname__, inline=guard.inline)
            self._kept.append(guard)
        return self._guards[key]

    def gate(self, route: Route) -> dict[str, Any] | None:
        """What stands before a route; ``None`` where nothing does.

        Errors:
            ConfigurationError: nobody could ever pass, or an option is of the wrong kind.
        """
        try:
            return self._gate(route)
        except ConfigurationError as error:
            raise ConfigurationError(f"{line_of(route.handler)}: {error}") from error

    def docs_gate(self, access: DocsAccess) -> dict[str, Any] | None:
        """What stands before the documents; ``None`` where everybody may see them.

        Errors:
            ConfigurationError: as :meth:`gate`.
        """
        if access.guard is None:
            return None
        try:
            schemes = schemes_of(access.auth)
            return self._of(schemes, guard_of(access.guard, bool(schemes)), [])
        except ConfigurationError as error:
            raise ConfigurationError(f"{access.where}: docs_guard=: {error}") from error

    def _gate(self, route: Route) -> dict[str, Any] | None:
        schemes = schemes_of(route.options.auth)
        return self._of(schemes, guard_of(route.options.guards, bool(schemes)), limits_of(route))

    def _of(self, schemes: tuple[Scheme, ...], guard: Guard | None, limits: Any) -> dict[str, Any] | None:
        if guard is not None and not schemes and guard.needs_identity():
            raise ConfigurationError(
                f"{guard!r} asks who makes the request, but the route has no auth=, so nobody could pass. Give it one, "
                "such as auth=[JWT()]."
            )
        if not schemes and guard is None and limits is None:
            return None
        return {
            "schemes": [self._number(scheme) for scheme in schemes],
            "guard": None if guard is None else guard.describe(self),
            "limits": limits,
        }

    def _number(self, scheme: Scheme) -> int:
        if id(scheme) not in self._numbers:
            taken = {described["name"] for described in self.schemes}
            names = (scheme.name, *(f"{scheme.name}{number}" for number in range(2, len(taken) + 3)))
            name = next(name for name in names if name not in taken)
            self.schemes.append({"name": name, **scheme.describe(self)})
            self.loaders.append(scheme.loader)
            self._numbers[id(scheme)] = len(self.schemes) - 1
            self._kept.append(scheme)
        return self._numbers[id(scheme)]


def _plain(function: Callable[..., Any], answer: Callable[[Any], Answer]) -> Callable[..., Answer]:
    from ..hygiene import with_django_connections

    tidy = with_django_connections(function)

    def asked(request: Any, credential: Any) -> Answer:
        return answer(tidy(request, credential))

    return asked


def _permitted(guard: Guard, result: Any) -> Answer:
    return bool(result), None if result else guard.message, None, None, None


def schemes_of(auth: Any) -> tuple[Scheme, ...]:
    """The schemes that ``auth=`` names: one, several, or none."""
    given = several(auth)
    for scheme in given:
        if not isinstance(scheme, Scheme):
            hint = f" Write {scheme.__name__}()." if isinstance(scheme, type) else ""
            raise ConfigurationError(f"auth= takes schemes of plectrum.auth, not {scheme!r}.{hint}")
    return tuple(given)


def guard_of(guards: Any, has_schemes: bool) -> Guard | None:
    """The one guard that ``guards=`` comes to. Schemes without guards ask for somebody who is authenticated."""
    if guards is None or guards is INHERIT:
        return IsAuthenticated() if has_schemes else None
    found = [as_guard(guard) for guard in several(guards)] or [AllowAny()]
    return functools.reduce(Guard.__and__, found)
