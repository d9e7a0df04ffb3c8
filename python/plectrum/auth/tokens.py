"""Making tokens: access and refresh pairs, rotation, and revocation in Django's cache or database.

An access token opens routes for minutes; a refresh token opens nothing but :meth:`Tokens.refresh`, which gives a new
pair and revokes the old refresh token. A refresh token that comes a second time has been stolen from somebody: its
whole family is revoked (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .. import _core
from ..errors import Unauthorized
from .answers import Answer
from .jwt import secret_key
from .scheme import Registry

__all__ = ["CacheRevocation", "ModelRevocation", "Pair", "Revocations", "Tokens", "asks_revocation"]

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class Revocations(Protocol):
    """Keeps what has been revoked, for as long as it could still be used."""

    def revoke(self, name: str, until: float) -> bool:
        """Revokes a token or a family.

        Parameters:
            name: its ``jti`` or ``fam``.
            until: when it expires, in seconds since 1970.

        Returns:
            Whether it was not revoked before; of two who call at once, one is told so.
        """
        ...

    def is_revoked(self, claims: Mapping[str, Any]) -> bool:
        """Whether the token with these claims, or its family, is revoked."""
        ...


class CacheRevocation:
    """In Django's cache. A cache that forgets (memory, an evicting Redis) forgets revocations too.

    Parameters:
        alias: of ``CACHES``; all workers and hosts must share it.
    """

    def __init__(self, alias: str = "default") -> None:
        self.alias = alias

    def revoke(self, name: str, until: float) -> bool:
        """As :meth:`Revocations.revoke`."""
        return bool(self._cache.add(_key(name), 1, timeout=max(1, int(until - time.time()) + 1)))

    def is_revoked(self, claims: Mapping[str, Any]) -> bool:
        """As :meth:`Revocations.is_revoked`."""
        return bool(self._cache.get_many([_key(name) for name in _names(claims)]))

    @property
    def _cache(self) -> Any:
        from django.core.cache import caches

        return caches[self.alias]


def _key(name: str) -> str:
    return f"plectrum.revoked.{name}"


class ModelRevocation:
    """In a table of the project's.

    Parameters:
        model: a Django model with ``name`` (a unique ``CharField`` of at least 64 characters) and ``until`` (a
            ``DateTimeField``), or its label ``"app.Model"``. Rows whose ``until`` has passed may be deleted.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def revoke(self, name: str, until: float) -> bool:
        """As :meth:`Revocations.revoke`."""
        import datetime

        from django.conf import settings

        moment = datetime.datetime.fromtimestamp(until, datetime.UTC if settings.USE_TZ else None)
        _, created = self.model._default_manager.get_or_create(name=name, defaults={"until": moment})
        return bool(created)

    def is_revoked(self, claims: Mapping[str, Any]) -> bool:
        """As :meth:`Revocations.is_revoked`."""
        return bool(self.model._default_manager.filter(name__in=_names(claims)).exists())

    @property
    def model(self) -> Any:
        """The model."""
        from django.apps import apps

        return apps.get_model(self._model) if isinstance(self._model, str) else self._model


def _names(claims: Mapping[str, Any]) -> list[str]:
    return [str(claims[name]) for name in ("jti", "fam") if claims.get(name)]


def asks_revocation(revocation: Any, registry: Registry) -> int:
    """Registers what a gate asks of a token that is otherwise good."""
    is_revoked: Callable[[Mapping[str, Any]], Any] = revocation.is_revoked
    from .compile import is_async

    if is_async(is_revoked):

        async def asked_later(request: Any, _credential: Any) -> Any:
            return await is_revoked(request.auth)

        return registry.callback(asked_later, _not_revoked, "revocation")

    def asked(request: Any, _credential: Any) -> Any:
        return is_revoked(request.auth)

    return registry.callback(asked, _not_revoked, "revocation")


def _not_revoked(result: Any) -> Answer:
    return not result, None, None, None, None


@dataclasses.dataclass(frozen=True)
class Pair:
    """An access token and the refresh token that renews it, as of RFC 6749, section 5.1.

    Parameters:
        access_token: for ``Authorization: Bearer``.
        refresh_token: for :meth:`Tokens.refresh`.
        expires_in: seconds the access token is good for.
        token_type: always ``Bearer``.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tokens:
    """Makes tokens that ``JWT`` with the same key accepts.

    Parameters:
        key: the secret or private key in PEM; Django's ``SECRET_KEY`` where ``None``.
        public_key: the key that verifies, for algorithms that have another one.
        algorithm: such as ``HS256``, ``RS256``, ``ES256``, ``EdDSA``.
        key_id: the header ``kid``.
        access_lifetime: seconds an access token is good for.
        refresh_lifetime: seconds a refresh token is good for; a family lives no longer than its first one.
        issuer, audience: the claims ``iss`` and ``aud``, where given; checked in refresh tokens too.
        revocation: keeps revoked tokens; Django's default cache.
    """

    key: str | None = dataclasses.field(default=None, repr=False)
    public_key: str | None = None
    algorithm: str = "HS256"
    key_id: str | None = None
    access_lifetime: int = 300
    refresh_lifetime: int = 86_400
    issuer: str | None = None
    audience: str | None = None
    revocation: Revocations = dataclasses.field(default_factory=CacheRevocation)

    def create_pair(self, user: Any, **claims: Any) -> Pair:
        """A new pair.

        Parameters:
            user: a Django user, or the user's key.
            claims: further claims of both, such as ``scope="read write"``.
        """
        subject = str(getattr(user, "pk", user))
        return self._pair({**claims, "sub": subject}, uuid.uuid4().hex, time.time() + self.refresh_lifetime)

    def refresh(self, token: str) -> Pair:
        """A new pair for a refresh token, which is used up by this.

        Errors:
            Unauthorized: it is not one, has expired, is revoked, or has been used before (which revokes its family).
        """
        claims = self.read_refresh(token)
        family, until = str(claims["fam"]), float(claims["exp"])
        if not self.revocation.revoke(str(claims["jti"]), until):
            self.revocation.revoke(family, until + self.access_lifetime)
            raise _refused("The refresh token has been used before.")
        own = ("exp", "iat", "jti", "fam", "token_type", "iss", "aud")
        return self._pair({name: value for name, value in claims.items() if name not in own}, family, until)

    def revoke(self, token: str) -> None:
        """Logs a refresh token's family out: it renews nothing any more, and neither do its access tokens open anything
        where ``JWT(revocation=…)`` asks.

        Errors:
            Unauthorized: it is not a refresh token of ours.
        """
        claims = self.read_refresh(token)
        self.revocation.revoke(str(claims["fam"]), float(claims["exp"]) + self.access_lifetime)

    def read_refresh(self, token: str) -> dict[str, Any]:
        """The claims of a refresh token that is good.

        Errors:
            Unauthorized: it is not.
        """
        key = self.public_key or self.key or secret_key()
        try:
            claims: dict[str, Any] = json.loads(_core.verify_jwt(token, key, self.algorithm))
        except ValueError as error:
            raise _refused("The refresh token is not valid.") from error
        good = (
            claims.get("token_type") == "refresh"
            and isinstance(claims.get("exp"), (int, float))
            and all(isinstance(claims.get(name), str) for name in ("jti", "fam", "sub"))
            and claims.get("iss") == self.issuer
            and claims.get("aud") == self.audience
        )
        if not good:
            raise _refused("The token is not a refresh token.")
        if time.time() >= claims["exp"]:
            raise _refused("The refresh token has expired.")
        if self.revocation.is_revoked({"fam": claims["fam"]}):
            raise _refused("The refresh token has been revoked.")
        return claims

    def _pair(self, claims: Mapping[str, Any], family: str, until: float) -> Pair:
        now = int(time.time())
        parties = {"iss": self.issuer, "aud": self.audience}
        common = {**claims, **{name: value for name, value in parties.items() if value}, "iat": now, "fam": family}
        access = {**common, "exp": now + self.access_lifetime, "jti": uuid.uuid4().hex, "token_type": "access"}
        refresh = {**common, "exp": int(until), "jti": uuid.uuid4().hex, "token_type": "refresh"}
        return Pair(self._sign(access), self._sign(refresh), self.access_lifetime)

    def _sign(self, claims: Mapping[str, Any]) -> str:
        return _core.sign_jwt(json.dumps(claims), self.key or secret_key(), self.algorithm, self.key_id)


def _refused(detail: str) -> Unauthorized:
    return Unauthorized(detail, headers=_CHALLENGE)
