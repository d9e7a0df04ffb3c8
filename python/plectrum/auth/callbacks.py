"""Schemes whose credentials Python checks: passwords and opaque tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from .answers import Principal, vouched
from .scheme import Loader, Registry, Scheme

__all__ = ["Basic", "Bearer", "Principal"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Basic(Scheme):
    """User and password in ``Authorization: Basic`` (RFC 7617). For machines, over HTTPS only.

    Parameters:
        verify: checks them, ``verify(request, user, password)``, plain (in the thread pool) or ``async``: gives a
            user, a name, claims or a :class:`Principal`, or ``None``. Django's ``authenticate()`` where absent.
        realm: shown in the challenge.
        name: name among OpenAPI's security schemes.
    """

    verify: Callable[..., Any] | None = None
    realm: str = "api"
    name: str = "basic"

    def describe(self, registry: Registry) -> dict[str, Any]:
        """As the Rust side reads it."""
        verify = self.verify or _authenticate
        callback = registry.callback(_spread(verify), vouched, f"{self.name}.verify")
        return {"type": "basic", "callback": callback, "realm": self.realm}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bearer(Scheme):
    """Opaque tokens in ``Authorization: Bearer``.

    Parameters:
        verify: checks a token, ``verify(request, token)``; as :class:`Basic`'s.
        user: finds the user, ``user(subject, claims)``, where ``verify`` gives none.
        realm: shown in the challenge.
        name: name among OpenAPI's security schemes.
    """

    verify: Callable[..., Any]
    user: Loader | None = None
    realm: str = "api"
    name: str = "bearer"

    @property
    def loader(self) -> Loader | None:
        """As given."""
        return self.user

    def describe(self, registry: Registry) -> dict[str, Any]:
        """As the Rust side reads it."""
        callback = registry.callback(self.verify, vouched, f"{self.name}.verify")
        return {"type": "bearer", "callback": callback, "realm": self.realm}


def _spread(verify: Callable[..., Any]) -> Callable[..., Any]:
    """``verify(request, user, password)`` as a function of a request and a pair; as async as it is."""
    from .compile import is_async

    if is_async(verify):

        async def checked(request: Any, credential: tuple[str, str]) -> Any:
            return await verify(request, *credential)

        return checked

    def checked_now(request: Any, credential: tuple[str, str]) -> Any:
        return verify(request, *credential)

    return checked_now


def _authenticate(_request: Any, username: str, password: str) -> Any:
    """Django's backends, which refuse inactive users and take the same time for unknown ones."""
    from django.contrib.auth import authenticate

    return authenticate(username=username, password=password)
