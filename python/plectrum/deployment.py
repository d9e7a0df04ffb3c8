"""What ``manage.py check --deploy`` says of Plectrum's settings: allowed, and not meant for production.

Ids are stable: ``W101`` debugging, ``W102`` any host, ``W103`` any proxy, ``W104`` pages of any origin, ``W105``
WebSockets from any origin, ``W106`` a time limit that is off, ``W107`` a development aid that fails requests,
``W108`` HTTPS that only a header tells of, ``W109`` a database that is a file.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Warning

from . import conf
from .conf import Settings

__all__ = ["check_deployment"]

_TIMEOUTS = ("header_read_timeout", "body_read_timeout", "write_timeout")


def check_deployment(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Everything that is open, off, or for development only."""
    settings, _ = conf.read(getattr(django_settings, "PLECTRUM", None))
    return [
        Warning(message, hint=hint, id=f"plectrum.{number}")
        for number, find in _FINDINGS.items()
        for message, hint in find(settings)
    ]


_Found = Iterator[tuple[str, str]]


def _debugging(settings: Settings) -> _Found:
    if settings.debug and not django_settings.DEBUG:
        yield "PLECTRUM['DEBUG'] is on: errors show their traceback to clients.", "Take it out; Django's DEBUG counts."


def _any_host(settings: Settings) -> _Found:
    if "*" in (settings.allowed_hosts or ()):
        yield (
            "PLECTRUM['ALLOWED_HOSTS'] has '*': requests for any host are answered, and links made of their Host.",
            "List the hosts you serve, or take it out and set Django's ALLOWED_HOSTS.",
        )


def _any_proxy(settings: Settings) -> _Found:
    for proxy in settings.trusted_proxies:
        try:
            everybody = ipaddress.ip_network(proxy, strict=False).prefixlen == 0
        except ValueError:
            continue
        if everybody:
            yield (
                f"PLECTRUM['TRUSTED_PROXIES'] has {proxy!r}: any client can say which address it has.",
                "List the addresses or networks of your own proxies.",
            )


def _any_page(settings: Settings) -> _Found:
    if "*" in settings.cors_origins:
        yield (
            "PLECTRUM['CORS_ORIGINS'] has '*': pages of any site may read answers.",
            "List the origins of your pages; cors= of a route opens what is public.",
        )


def _any_socket(settings: Settings) -> _Found:
    if "*" in (settings.websocket_origins or "").split(","):
        yield (
            "PLECTRUM['WEBSOCKET_ORIGINS'] is '*': pages of any site may open WebSockets with their visitors' cookies.",
            "List the origins of your pages.",
        )


def _without_limit(settings: Settings) -> _Found:
    for name in _TIMEOUTS:
        if getattr(settings, name) is None:
            yield (
                f"PLECTRUM['{name.upper()}'] is None: clients that never finish hold their connections forever.",
                "Give it a number of seconds.",
            )


def _failing_aid(settings: Settings) -> _Found:
    if settings.nplusone == "raise":
        yield (
            "PLECTRUM['NPLUSONE'] is 'raise': requests fail where a relation is loaded row by row.",
            "Set it to 'off', or to 'warn' where the log shall tell.",
        )


def _told_by_header(settings: Settings) -> _Found:
    if django_settings.SECURE_PROXY_SSL_HEADER and not settings.trusted_proxies:
        said = "Django's views believe any client about HTTPS, and the API believes nobody."
        yield (
            f"SECURE_PROXY_SSL_HEADER is set and PLECTRUM['TRUSTED_PROXIES'] is empty: {said}",
            "List your proxies in PLECTRUM['TRUSTED_PROXIES'].",
        )


def _file_database(settings: Settings) -> _Found:
    if django_settings.DATABASES.get("default", {}).get("ENGINE") == "django.db.backends.sqlite3":
        yield (
            "DATABASES['default'] is SQLite: one request writes at a time, and one machine has the file.",
            "Set DATABASE_URL=postgresql://user:password@host/name, or silence this check where few write.",
        )


_FINDINGS: dict[str, Callable[[Settings], _Found]] = {
    "W101": _debugging,
    "W102": _any_host,
    "W103": _any_proxy,
    "W104": _any_page,
    "W105": _any_socket,
    "W106": _without_limit,
    "W107": _failing_aid,
    "W108": _told_by_header,
    "W109": _file_database,
}
