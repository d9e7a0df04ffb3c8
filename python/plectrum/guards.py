"""Guards: who may call a route, and who may touch an object.

``guards=[…]`` takes guards, all of which must hold; ``&``, ``|`` and ``~`` combine them. Those that look at claims
alone are decided in Rust; :class:`Guard` is the base of your own. See ``docs/permissions.md``.
"""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any, ClassVar, Protocol

from ._inherit import several
from .errors import ConfigurationError, Forbidden, Unauthorized

__all__ = [
    "AllowAny",
    "Guard",
    "HasClaim",
    "HasPermission",
    "HasScope",
    "IsAuthenticated",
    "IsStaff",
    "as_guard",
    "check_object",
    "object_guards",
]

#: Attribute of a handler that finds its row where no guard can be asked about it.
FINDS_ROW = "__plectrum_finds_row__"


class Asks(Protocol):
    """Where guards that Python decides are registered."""

    def ask_guard(self, guard: Guard) -> int:
        """Its number."""
        ...


class Guard:
    """Decides who may pass. Override :meth:`has_permission`, :meth:`has_object_permission`, or both.

    Either may be plain or ``async``. A plain :meth:`has_permission` runs in the thread pool, where Django's ORM may be
    used, unless ``inline`` promises that it never waits for anything. ``request`` has everything but the body.
    """

    #: Whether the plain ``has_permission`` never waits; it is then called where the request is, without a thread.
    inline: ClassVar[bool] = False
    #: What a refusal says, as ``detail`` of the 403.
    message: str | None = None

    def has_permission(self, request: Any) -> Any:
        """Whether the request may pass; anything true does. Raise ``HTTPException`` to give an answer of your own."""
        return True

    def has_object_permission(self, request: Any, obj: Any) -> Any:
        """Whether the request may do what it is about to do with ``obj``; asked by :func:`check_object`."""
        return True

    def describe(self, asks: Asks) -> Any:
        """As the Rust side reads it (``crates/engine/src/gate/spec.rs``)."""
        if type(self).has_permission is Guard.has_permission:
            return "anyone"
        return {"ask": {"callback": asks.ask_guard(self)}}

    def needs_identity(self) -> bool:
        """Whether nobody could pass without ``auth=``."""
        return False

    def key(self) -> Any:
        """Guards of the same key are asked once per request."""
        return id(self)

    def looks_at_objects(self) -> bool:
        """Whether it says anything of objects; combinations do where a part does."""
        return type(self).has_object_permission is not Guard.has_object_permission

    async def allows(self, request: Any, obj: Any) -> bool:
        """Whether the object may be touched; combinations decide by their parts."""
        return bool(await _result(self.has_object_permission(request, obj)))

    async def passes(self, request: Any) -> bool:
        """Whether the request may pass, decided in Python; only combinations over objects need it."""
        return bool(await _result(self.has_permission(request)))

    def __and__(self, other: Any) -> Guard:
        return _All((*_parts(self, _All), *_parts(as_guard(other), _All)))

    def __or__(self, other: Any) -> Guard:
        return _Any((*_parts(self, _Any), *_parts(as_guard(other), _Any)))

    def __rand__(self, other: Any) -> Guard:
        return as_guard(other) & self

    def __ror__(self, other: Any) -> Guard:
        return as_guard(other) | self

    def __invert__(self) -> Guard:
        return _Not(self)

    def __repr__(self) -> str:
        return type(self).__name__


class AllowAny(Guard):
    """Everybody: with ``auth=``, for routes that know their users but need none."""


class IsAuthenticated(Guard):
    """Whoever has been authenticated."""

    def describe(self, asks: Asks) -> Any:
        """Decided in Rust."""
        return "authenticated"

    def has_permission(self, request: Any) -> bool:
        """As Rust decides."""
        return request.auth is not None

    def needs_identity(self) -> bool:
        """It does."""
        return True


class IsStaff(Guard):
    """Staff: the claim that ``JWT(staff_claim=…)`` names, else ``user.is_staff``."""

    def describe(self, asks: Asks) -> Any:
        """Decided in Rust where the claims tell."""
        return {"staff": {"callback": asks.ask_guard(self)}}

    def has_permission(self, request: Any) -> bool:
        """Asks the user, where no claim tells."""
        user = request.user
        return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))

    def needs_identity(self) -> bool:
        """It does."""
        return True

    def key(self) -> Any:
        """All are alike."""
        return IsStaff


class HasPermission(Guard):
    """Whoever has a Django permission: by the claim that ``JWT(permissions_claim=…)`` names, else ``user.has_perm``.

    Parameters:
        code: ``"app_label.codename"``.
    """

    def __init__(self, code: str) -> None:
        if code.count(".") != 1:
            raise ConfigurationError(f'HasPermission({code!r}) needs "app_label.codename", such as "shop.add_order".')
        self.code = code

    def describe(self, asks: Asks) -> Any:
        """Decided in Rust where the claims tell."""
        return {"permission": {"code": self.code, "callback": asks.ask_guard(self)}}

    def has_permission(self, request: Any) -> bool:
        """Asks Django's backends, where no claim tells."""
        return bool(request.user.has_perm(self.code))

    def needs_identity(self) -> bool:
        """It does."""
        return True

    def key(self) -> Any:
        """Those of one permission are alike."""
        return HasPermission, self.code

    def __repr__(self) -> str:
        return f"HasPermission({self.code!r})"


class HasScope(Guard):
    """Whoever has all of these scopes (RFC 6749, section 3.3), decided in Rust.

    Parameters:
        scopes: one or more.
    """

    def __init__(self, *scopes: str) -> None:
        if not scopes or any(not scope or " " in scope for scope in scopes):
            raise ConfigurationError(f"HasScope{scopes!r} needs scopes without spaces, each a text of its own.")
        self.scopes = scopes

    def describe(self, asks: Asks) -> Any:
        """Decided in Rust."""
        return {"all": [{"scope": {"scope": scope}} for scope in self.scopes]}

    def has_permission(self, request: Any) -> bool:
        """As Rust decides, by the claim ``scope``."""
        found: Any = _claims(request).get("scope", ())
        return set(self.scopes) <= set(found.split(" ") if isinstance(found, str) else found)

    def needs_identity(self) -> bool:
        """It does."""
        return True

    def __repr__(self) -> str:
        return f"HasScope({', '.join(map(repr, self.scopes))})"


class HasClaim(Guard):
    """Whoever has a claim, decided in Rust.

    Parameters:
        name: of the claim.
        values: the claim, or one of its items where it is a list, must be one of these; any value where none is given.
    """

    def __init__(self, name: str, *values: str | float | bool) -> None:
        self.name, self.values = name, values

    def describe(self, asks: Asks) -> Any:
        """Decided in Rust."""
        return {"claim": {"name": self.name, "values": list(self.values)}}

    def has_permission(self, request: Any) -> bool:
        """As Rust decides."""
        found = _claims(request).get(self.name)
        if found is None or not self.values:
            return found is not None
        return any(item in self.values for item in several(found))

    def needs_identity(self) -> bool:
        """It does."""
        return True

    def __repr__(self) -> str:
        return f"HasClaim({', '.join(map(repr, (self.name, *self.values)))})"


class _All(Guard):
    def __init__(self, of: tuple[Guard, ...]) -> None:
        self.of = of

    def describe(self, asks: Asks) -> Any:
        return {"all": [guard.describe(asks) for guard in self.of]}

    def needs_identity(self) -> bool:
        return any(guard.needs_identity() for guard in self.of)

    def looks_at_objects(self) -> bool:
        return any(guard.looks_at_objects() for guard in self.of)

    async def allows(self, request: Any, obj: Any) -> bool:
        for guard in self.of:
            if not await guard.allows(request, obj):
                return False
        return True

    async def passes(self, request: Any) -> bool:
        for guard in self.of:
            if not await guard.passes(request):
                return False
        return True

    def __repr__(self) -> str:
        return "(" + " & ".join(map(repr, self.of)) + ")"


class _Any(Guard):
    def __init__(self, of: tuple[Guard, ...]) -> None:
        self.of = of

    def describe(self, asks: Asks) -> Any:
        return {"any": [guard.describe(asks) for guard in self.of]}

    def needs_identity(self) -> bool:
        return all(guard.needs_identity() for guard in self.of)

    def looks_at_objects(self) -> bool:
        return any(guard.looks_at_objects() for guard in self.of)

    async def allows(self, request: Any, obj: Any) -> bool:
        """One of them must hold for the request and for the object: not one for this and another for that."""
        for guard in self.of:
            if await guard.passes(request) and await guard.allows(request, obj):
                return True
        return False

    async def passes(self, request: Any) -> bool:
        for guard in self.of:
            if await guard.passes(request):
                return True
        return False

    def __repr__(self) -> str:
        return "(" + " | ".join(map(repr, self.of)) + ")"


class _Not(Guard):
    def __init__(self, of: Guard) -> None:
        self.of = of

    def describe(self, asks: Asks) -> Any:
        return {"not": self.of.describe(asks)}

    def looks_at_objects(self) -> bool:
        return self.of.looks_at_objects()

    async def allows(self, request: Any, obj: Any) -> bool:
        """A guard that says nothing of objects says nothing when it is turned round either."""
        return not self.of.looks_at_objects() or not await self.of.allows(request, obj)

    async def passes(self, request: Any) -> bool:
        return not await self.of.passes(request)

    def __repr__(self) -> str:
        return f"~{self.of!r}"


def _claims(request: Any) -> dict[str, Any]:
    return request.auth or {}


def _parts(guard: Guard, kind: type[_All] | type[_Any]) -> tuple[Guard, ...]:
    return guard.of if isinstance(guard, kind) else (guard,)


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def as_guard(guard: Any) -> Guard:
    """A guard or a class of them as a guard.

    Errors:
        ConfigurationError: it is neither, or its class wants arguments.
    """
    if isinstance(guard, Guard):
        return guard
    if isinstance(guard, type) and issubclass(guard, Guard):
        try:
            return guard()
        except TypeError as error:
            raise ConfigurationError(
                f"guards= has the class {guard.__name__}, which wants arguments: {error}"
            ) from None
    if isinstance(guard, types.UnionType):  # Python's own reading of ``IsStaff | IsOwner``, both being classes
        return functools.reduce(Guard.__or__, map(as_guard, guard.__args__))
    raise ConfigurationError(f"guards= takes guards of plectrum.guards, not {guard!r}.")


def object_guards(guards: Any) -> tuple[Guard, ...]:
    """Those of ``guards=`` that :func:`check_object` would ask something.

    Errors:
        ConfigurationError: as :func:`as_guard`.
    """
    return tuple(guard for guard in map(as_guard, several(guards)) if guard.looks_at_objects())


async def check_object(guards: Any, request: Any, obj: Any) -> None:
    """Asks every guard whether ``request`` may touch ``obj``; call it where a handler has found its object.

    Parameters:
        guards: a guard, or several that must all hold.
        request: the request. Its user is loaded first, so that plain guards may read ``request.user``.
        obj: the object.

    Errors:
        Forbidden: one of them refuses (:class:`~plectrum.Unauthorized` where nobody is authenticated).
    """
    await request.auser()
    for guard in map(as_guard, several(guards)):
        if not await guard.allows(request, obj):
            raise (Forbidden if request.auth is not None else Unauthorized)(guard.message)
