"""API keys as a scheme."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from ..errors import ConfigurationError
from .answers import vouched
from .scheme import Loader, Registry, Scheme

__all__ = ["APIKey", "hash_key"]

_SHORTEST = 16


def hash_key(key: str) -> str:
    """The digest of a key, as :class:`APIKey` takes it: what is stored need not be the key.

    Parameters:
        key: a key of enough randomness (``secrets.token_urlsafe(32)``); such keys need no slow hash.
    """
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


@dataclasses.dataclass(frozen=True, kw_only=True)
class APIKey(Scheme):
    """Keys in a header, the query or a cookie.

    Parameters:
        keys: who has which key, ``{"billing": "…"}``; a key of at least 16 characters or its :func:`hash_key`.
            Compared in Rust, all of them and in constant time. ``request.auth["sub"]`` is the name.
        scopes: what each may do, ``{"billing": ["invoices:read"]}``, for ``HasScope``.
        verify: checks a key instead, ``verify(request, key)``, plain or ``async``: gives a user, a name, claims or a
            :class:`Principal`, or ``None``.
        header, query, cookie: where the key is; the header ``X-API-Key`` where none is named. Keys in queries end up in
            logs and histories.
        user: finds the user of a key, ``user(name, claims)``.
        name: name among OpenAPI's security schemes.
    """

    keys: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str], repr=False)
    scopes: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict[str, "Sequence[str]"])
    verify: Callable[..., Any] | None = None
    header: str | None = None
    query: str | None = None
    cookie: str | None = None
    user: Loader | None = None
    name: str = "apiKey"

    @property
    def loader(self) -> Loader | None:
        """As given; a name is no primary key, so without one there is no user."""
        return self.user or _nobody

    def describe(self, registry: Registry) -> dict[str, Any]:
        """As the Rust side reads it."""
        if bool(self.keys) == (self.verify is not None):
            raise ConfigurationError("APIKey() takes either keys= or verify=.")
        unknown = set(self.scopes) - set(self.keys)
        if unknown:
            raise ConfigurationError(f"APIKey(scopes=…) names {min(unknown)!r}, who is not in keys.")
        place, parameter = self._place()
        described: dict[str, Any] = {"type": "api_key", "in": place, "parameter": parameter}
        if self.verify is not None:
            described["callback"] = registry.callback(self.verify, vouched, f"{self.name}.verify")
        described["keys"] = [
            {"subject": owner, "sha256": _digest(owner, key), "scopes": list(self.scopes.get(owner, ()))}
            for owner, key in self.keys.items()
        ]
        return described

    def _place(self) -> tuple[Literal["header", "query", "cookie"], str]:
        given = [name for name in (self.header, self.query, self.cookie) if name]
        if len(given) > 1:
            raise ConfigurationError("APIKey() reads the key from one place: header=, query= or cookie=.")
        if self.query:
            return "query", self.query
        if self.cookie:
            return "cookie", self.cookie
        return "header", self.header or "X-API-Key"


def _nobody(_subject: str | None, _claims: dict[str, Any]) -> None:
    return None


def _digest(owner: str, key: str) -> str:
    if key.startswith("sha256:"):
        return key.removeprefix("sha256:")
    if len(key) < _SHORTEST:
        raise ConfigurationError(
            f"The API key of {owner!r} has {len(key)} characters and could be guessed. Make one with "
            "secrets.token_urlsafe(32)."
        )
    return hash_key(key).removeprefix("sha256:")
