"""JSON Web Tokens as a scheme; :mod:`plectrum.auth.tokens` makes them."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from .. import conf
from ..errors import ConfigurationError
from .scheme import Loader, Registry, Scheme

__all__ = ["JWT", "Revocation", "secret_key"]

# Key sets are not fetched more often; see `crates/engine/src/gate/jwt/jwks.rs`.
_SHORTEST_LIFETIME = 10


class Revocation(Protocol):
    """Knows which tokens have been revoked; see :mod:`plectrum.auth.tokens` for two of them."""

    def is_revoked(self, claims: Mapping[str, Any]) -> Any:
        """Whether the token with these claims is; plain or ``async``."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class JWT(Scheme):
    """Signed tokens in ``Authorization: Bearer`` (RFC 7519, RFC 6750), verified in Rust.

    Parameters:
        key: the secret (HS algorithms, at least as many bytes as the hash: 32, 48 or 64) or a public key in PEM;
            Django's ``SECRET_KEY`` where neither ``key`` nor ``jwks`` is given.
        algorithms: the accepted ones, of one kind: HS256/384/512, RS256/384/512, PS256/384/512, ES256/384, EdDSA.
            ``none`` is never accepted, whatever the token says.
        jwks: a JSON Web Key Set instead of a key: its ``https://`` address, a ``pathlib.Path``, or the set itself.
            A set at an address is fetched when it is first needed, and again as it ages or a key is not in it.
        jwks_lifetime: seconds after which a fetched set is fetched anew; the old one serves meanwhile.
        jwks_timeout: seconds a fetch may take.
        audience: one of these must be in ``aud``; unchecked where empty.
        issuer: one of these must be ``iss``; unchecked where empty.
        leeway: seconds that clocks may differ by, for ``exp`` and ``nbf``.
        required: claims that must be there.
        user_claim: the claim with the user's primary key.
        scope_claim: the claim with scopes, parted by spaces or in a list.
        staff_claim: the claim that says whether the user is staff; ``IsStaff`` asks the user where ``None``.
        permissions_claim: the claim that lists permissions; ``HasPermission`` asks the user where ``None``.
        cookie: name of a cookie that is read where there is no ``Authorization``. Cookies need protection from CSRF of
            their own: set it ``SameSite=Strict``.
        revocation: asked whether a token has been revoked; costs a call of Python's per request.
        user: finds the user of a token, ``user(subject, claims)``; Django's user model is asked where ``None``.
        realm: shown in the challenge of a 401.
        name: name among OpenAPI's security schemes.

    Source: RFC 7515, 7517, 7518, 7519; RFC 8725 (best current practices).
    """

    key: str | None = dataclasses.field(default=None, repr=False)
    algorithms: Sequence[str] = ("HS256",)
    jwks: str | Path | Mapping[str, Any] | None = None
    jwks_lifetime: float = 600.0
    jwks_timeout: float = 5.0
    audience: str | Sequence[str] = ()
    issuer: str | Sequence[str] = ()
    leeway: int = 0
    required: Sequence[str] = ("exp",)
    user_claim: str = "sub"
    scope_claim: str = "scope"
    staff_claim: str | None = None
    permissions_claim: str | None = None
    cookie: str | None = None
    revocation: Revocation | None = None
    user: Loader | None = None
    realm: str = "api"
    name: str = "jwt"

    @property
    def loader(self) -> Loader | None:
        """As given."""
        return self.user

    def describe(self, registry: Registry) -> dict[str, Any]:
        """As the Rust side reads it."""
        return {
            "type": "jwt",
            "algorithms": list(self.algorithms),
            "key": self.key if self.key is not None or self.jwks is not None else secret_key(),
            "jwks": self._key_set(),
            "audience": _listed(self.audience),
            "issuer": _listed(self.issuer),
            "leeway": self.leeway,
            "required": list(self.required),
            "user_claim": self.user_claim,
            "scope_claim": self.scope_claim,
            "staff_claim": self.staff_claim,
            "permissions_claim": self.permissions_claim,
            "cookie": self.cookie,
            "revoked": self._revoked(registry),
            "realm": self.realm,
        }

    def _key_set(self) -> dict[str, Any] | None:
        match self.jwks:
            case None:
                return None
            case str() as url:
                if self.jwks_lifetime < _SHORTEST_LIFETIME or self.jwks_timeout <= 0:
                    raise ConfigurationError(
                        f"JWT(jwks_lifetime={self.jwks_lifetime}, jwks_timeout={self.jwks_timeout}): a key set is kept "
                        f"for at least {_SHORTEST_LIFETIME} seconds, and a fetch needs some time."
                    )
                lifetime, timeout = round(self.jwks_lifetime * 1000), round(self.jwks_timeout * 1000)
                return {"url": {"url": url, "lifetime": lifetime, "timeout": timeout}}
            case Path() as path:
                return {"file": os.fspath(path)}
            case keys:
                return {"inline": json.dumps(dict(keys))}

    def _revoked(self, registry: Registry) -> int | None:
        from .tokens import asks_revocation

        return None if self.revocation is None else asks_revocation(self.revocation, registry)


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def secret_key() -> str:
    """Django's ``SECRET_KEY``, or Plectrum's where Django is not set up.

    Errors:
        ConfigurationError: there is none.
    """
    django: Any = sys.modules.get("django.conf")
    if django is not None and (django.settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ):
        return str(django.settings.SECRET_KEY)
    if (key := conf.current().secret_key) is not None:
        return key
    raise ConfigurationError(
        "JWT() has no key. Give key=, jwks=, or set Django's SECRET_KEY (PLECTRUM_SECRET_KEY without Django), which is "
        "taken where neither is given."
    )
