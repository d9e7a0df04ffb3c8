"""The edge: what every request and every answer passes in Rust, whichever route it is for.

Hosts, proxies, HTTPS, CORS, compression, security headers, request ids: see ``docs/edge.md``. Django's own settings
count where Plectrum's are not given.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._inherit import INHERIT
from .errors import ConfigurationError, line_of
from .observe import request_id_header

if TYPE_CHECKING:
    from .conf import Settings
    from .routing import Route

__all__ = ["CORS", "describe", "policy_of"]

_CODINGS = ("br", "zstd", "gzip")
_SECURITY = "django.middleware.security.SecurityMiddleware"
_FRAMES = "django.middleware.clickjacking.XFrameOptionsMiddleware"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CORS:
    """Whose pages may read a route's answers: ``cors=CORS(…)`` of an API, a router or a route.

    Parameters:
        origins: such as ``"https://shop.example"``, ``"https://*.shop.example"``, or ``"*"``.
        credentials: whether requests may bring cookies; not with ``"*"``.
        methods: that they may use; all of the route's where empty.
        headers: that they may send; all where empty.
        expose: answer headers that scripts may read.
        max_age: seconds a browser may remember a preflight's answer.

    Source: Fetch standard, section 3.2.
    """

    origins: Sequence[str]
    credentials: bool = False
    methods: Sequence[str] = ()
    headers: Sequence[str] = ()
    expose: Sequence[str] = ()
    max_age: int = 600

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        listed = {name: list(getattr(self, name)) for name in ("origins", "methods", "headers", "expose")}
        return {**listed, "credentials": self.credentials, "max_age": self.max_age}


def policy_of(route: Route) -> dict[str, Any] | None:
    """A route's own policy; ``None`` leaves it to the settings.

    Errors:
        ConfigurationError: ``cors=`` is something else.
    """
    cors = route.options.cors
    if cors is INHERIT or cors is None:
        return None if cors is INHERIT else CORS(origins=()).describe()
    if not isinstance(cors, CORS):
        raise ConfigurationError(f"{line_of(route.handler)}: cors= takes a plectrum.edge.CORS, not {cors!r}.")
    return cors.describe()


def describe(settings: Settings) -> dict[str, Any]:
    """The edge as the Rust side reads it (``crates/py/src/edge.rs``).

    Errors:
        ConfigurationError: an unknown coding.
    """
    django = _django()
    for coding in settings.compression:
        if coding not in _CODINGS:
            raise ConfigurationError(f"COMPRESSION has {coding!r}, which is not one of {', '.join(_CODINGS)}.")
    return {
        "hosts": _hosts(settings, django),
        "proxies": list(settings.trusted_proxies),
        "forwarded": settings.proxy_headers == "forwarded",
        "forwarded_host": _given(settings.proxy_host, django, "USE_X_FORWARDED_HOST"),
        "https": _https(settings, django),
        **_security(settings, django),
        "cors": _cors(settings),
        "compression": list(settings.compression),
        "compression_least": settings.compression_min_size,
        "request_id": request_id_header(settings),
    }


def _django() -> Any:
    """Django's settings, where it is set up."""
    module: Any = sys.modules.get("django.conf")
    if module is None or not (module.settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ):
        return None
    return module.settings


def _given(value: bool | None, django: Any, name: str) -> bool:
    return bool(getattr(django, name, False)) if value is None else value


def _hosts(settings: Settings, django: Any) -> list[str]:
    if settings.allowed_hosts is not None:
        return list(settings.allowed_hosts)
    if django is None:
        return ["*"]
    # As `HttpRequest.get_host` has it.
    return list(django.ALLOWED_HOSTS) or ([".localhost", "127.0.0.1", "[::1]"] if django.DEBUG else [])


def _https(settings: Settings, django: Any) -> str | None:
    if not _given(settings.https_redirect, django, "SECURE_SSL_REDIRECT"):
        return None
    return getattr(django, "SECURE_SSL_HOST", None) or ""


def _security(settings: Settings, django: Any) -> dict[str, Any]:
    """Django's headers, where its middleware is listed or the setting asks for them."""
    listed: Sequence[str] = getattr(django, "MIDDLEWARE", ())
    wanted = settings.security_headers
    general = _SECURITY in listed if wanted is None else wanted
    frames = _FRAMES in listed if wanted is None else wanted
    policy: Any = getattr(django, "SECURE_REFERRER_POLICY", "same-origin")
    return {
        "nosniff": general and getattr(django, "SECURE_CONTENT_TYPE_NOSNIFF", True),
        "referrer_policy": (policy if isinstance(policy, str) or not policy else ",".join(policy)) if general else None,
        "opener_policy": getattr(django, "SECURE_CROSS_ORIGIN_OPENER_POLICY", "same-origin") if general else None,
        "frame_options": str(getattr(django, "X_FRAME_OPTIONS", "DENY")).upper() if frames else None,
        "transport": _transport(django) if general else None,
    }


def _transport(django: Any) -> str | None:
    """``Strict-Transport-Security`` (RFC 6797), as Django writes it."""
    seconds = getattr(django, "SECURE_HSTS_SECONDS", 0)
    if not seconds:
        return None
    below = "; includeSubDomains" if django.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
    return f"max-age={seconds}{below}" + ("; preload" if django.SECURE_HSTS_PRELOAD else "")


def _cors(settings: Settings) -> dict[str, Any] | None:
    if not settings.cors_origins:
        return None
    return CORS(
        origins=settings.cors_origins,
        credentials=settings.cors_credentials,
        methods=settings.cors_methods,
        headers=settings.cors_headers,
        expose=settings.cors_expose,
        max_age=settings.cors_max_age,
    ).describe()
