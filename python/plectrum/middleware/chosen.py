"""``django_middleware=`` → the names of middleware, in order; what could never work is refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from plectrum._inherit import INHERIT
from plectrum.errors import ConfigurationError

__all__ = ["check_order", "chosen"]

_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
_AUTH = "django.contrib.auth.middleware.AuthenticationMiddleware"

#: Middleware → what has to stand before it. Without, Django raises ImproperlyConfigured on every request.
_NEEDS = {
    _AUTH: _SESSIONS,
    "django.contrib.auth.middleware.LoginRequiredMiddleware": _AUTH,
    "django.contrib.auth.middleware.RemoteUserMiddleware": _AUTH,
    "django.contrib.auth.middleware.PersistentRemoteUserMiddleware": _AUTH,
}
_MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"


def chosen(option: Any, where: str) -> tuple[str, ...] | None:
    """The middleware of a route, outermost first; ``None`` where it has none.

    Parameters:
        option: ``True`` for all of ``MIDDLEWARE``; a list of dotted names; ``{"include": […]}`` or
            ``{"exclude": […]}`` for a part of ``MIDDLEWARE``, in its order; ``False`` or ``None`` for none.
        where: the handler's line, for messages.

    Errors:
        ConfigurationError: an unknown name, or an order that cannot work.
    """
    if option is INHERIT or option is None or option is False:
        return None
    _check_ready(where)
    from django.conf import settings

    listed = tuple(settings.MIDDLEWARE)
    if option is True:
        names = listed
    elif isinstance(option, Mapping):
        names = _part(cast("Mapping[str, Any]", option), listed, where)
    elif isinstance(option, (list, tuple)):
        names = tuple(_name(item, where) for item in cast("list[Any]", option))
    else:
        raise ConfigurationError(
            f"{where}: django_middleware={option!r} is neither True, a list of dotted names, nor "
            '{"include": […]} or {"exclude": […]}.'
        )
    check_order(names, where)
    return names


def _check_ready(where: str) -> None:
    try:
        from django.apps import apps
    except ImportError:
        raise ConfigurationError(f"{where}: django_middleware= needs Django. Install plectrum[django].") from None
    if not apps.ready:
        raise ConfigurationError(
            f"{where}: django_middleware= needs Django set up. Name the API in PLECTRUM['API'] and serve it with "
            "manage.py plectrum serve, or call django.setup() before."
        )


def _name(item: Any, where: str) -> str:
    """A dotted name; of a class or function, its own."""
    if isinstance(item, str):
        return item
    if callable(item) and hasattr(item, "__qualname__"):
        return f"{item.__module__}.{item.__qualname__}"
    raise ConfigurationError(f"{where}: django_middleware= names middleware by dotted names, not {item!r}.")


def _part(option: Mapping[str, Any], listed: Sequence[str], where: str) -> tuple[str, ...]:
    if len(option) != 1 or next(iter(option)) not in ("include", "exclude"):
        raise ConfigurationError(
            f'{where}: django_middleware={dict(option)!r} has to be {{"include": […]}} or {{"exclude": […]}}.'
        )
    way, given = next(iter(option.items()))
    named = [_name(item, where) for item in given]
    for name in named:
        if name not in listed:
            close = difflib.get_close_matches(name, listed, n=1, cutoff=0.4)
            hint = f"Did you mean {close[0]!r}?" if close else "Add it there, or give a list instead."
            raise ConfigurationError(
                f"{where}: django_middleware {way}s {name!r}, which MIDDLEWARE does not list. {hint}"
            )
    return tuple(name for name in listed if (name in named) == (way == "include"))


def check_order(names: Sequence[str], where: str) -> None:
    """Refuses an order with which every request would fail.

    Errors:
        ConfigurationError: names what is missing, or where it belongs.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigurationError(f"{where}: {twice} stands twice in the middleware. Take one out.")
    for position, name in enumerate(names):
        need = _need(name)
        if need is None or need in names[:position]:
            continue
        if need in names:
            raise ConfigurationError(f"{where}: {need} has to stand before {name}, and stands behind it.")
        raise ConfigurationError(f"{where}: {name} needs {need} before it. Add it, or take this one out.")


def _need(name: str) -> str | None:
    from django.conf import settings

    if name == _MESSAGES and not settings.MESSAGE_STORAGE.endswith(".CookieStorage"):
        return _SESSIONS
    if name == _CSRF and settings.CSRF_USE_SESSIONS:
        return _SESSIONS
    return _NEEDS.get(name)
