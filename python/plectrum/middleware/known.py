"""Which hooks of middleware may block: those run on a thread, all others where the request is.

Django's own are known one by one, many of them depending on the request: ``SessionMiddleware`` blocks where a changed
session has to be saved, and not otherwise. Anybody else's may block, unless its class says ``plectrum_blocks = False``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["HOOKS", "LATE", "Blocks", "blocks_of", "due_of"]

#: Whether a hook may block for a request, and the answer to it where there is one.
Blocks = Callable[[Any, Any], bool]

HOOKS = ("process_request", "process_view", "process_template_response", "process_exception", "process_response")

_LARGE_FORM = 64 * 1024


def blocks_of(middleware: Any, hook: str) -> Blocks | None:
    """What tells whether a hook blocks; ``None`` where it never does.

    Parameters:
        middleware: an instance.
        hook: one of :data:`HOOKS`.
    """
    cls = middleware.__class__
    if getattr(cls, "plectrum_blocks", True) is False:
        return None
    known = _KNOWN.get(f"{cls.__module__}.{cls.__qualname__}")
    return _always if known is None else known.get(hook)


def _always(request: Any, response: Any) -> bool:
    return True


def _not_found(request: Any, response: Any) -> bool:
    return bool(response.status_code == 404)


def _has_session(request: Any, response: Any) -> bool:
    """Whether reading the session may ask its store."""
    from django.conf import settings

    return settings.SESSION_COOKIE_NAME in request.COOKIES and not _in_cookies()


def _in_cookies() -> bool:
    from django.conf import settings

    return bool(settings.SESSION_ENGINE == "django.contrib.sessions.backends.signed_cookies")


def _saves_session(request: Any, response: Any) -> bool:
    session = request.__dict__.get("session")
    if session is None:
        return _saved_unread(request)
    if not session.modified and not _saves_always():
        return False
    return not session.is_empty() and not _in_cookies()


def _saves_always() -> bool:
    from django.conf import settings

    return bool(settings.SESSION_SAVE_EVERY_REQUEST)


def _saved_unread(request: Any) -> bool:
    """A session that nobody read is saved only where all are."""
    return _saves_always() and _has_session(request, None)


def _stores_messages(request: Any, response: Any) -> bool:
    messages = request.__dict__.get("_messages")
    return messages is not None and bool(messages.used or messages.added_new)


def _token_in_session(request: Any, response: Any) -> bool:
    from django.conf import settings

    return bool(settings.CSRF_USE_SESSIONS) and _has_session(request, response)


def _writes_token(request: Any, response: Any) -> bool:
    from django.conf import settings

    return bool(settings.CSRF_USE_SESSIONS) and _token_due(request) and "CSRF_COOKIE_NEEDS_UPDATE" in request.META


def _reads_token(request: Any, response: Any) -> bool:
    """A token is looked for in the form, which a large one takes long to be read for."""
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return False
    if _token_in_session(request, response):
        return True
    return str(request.content_type).startswith("multipart/") and _length(request) > _LARGE_FORM


def _length(request: Any) -> int:
    length = str(request.META.get("CONTENT_LENGTH", ""))
    return int(length) if length.isascii() and length.isdigit() else _LARGE_FORM + 1


#: Middleware whose ``process_request`` does nothing but set these attributes: done when one is first read.
LATE: dict[str, tuple[str, ...]] = {
    "django.contrib.sessions.middleware.SessionMiddleware": ("session",),
    "django.contrib.auth.middleware.AuthenticationMiddleware": ("user", "auser"),
    "django.contrib.messages.middleware.MessageMiddleware": ("_messages",),
}


def due_of(middleware: Any) -> Callable[[Any], bool] | None:
    """What tells whether ``process_response`` has anything to do; ``None`` where nothing can tell."""
    cls = middleware.__class__
    return _DUE.get(f"{cls.__module__}.{cls.__qualname__}")


def _session_due(request: Any) -> bool:
    """Nobody read the session; it is sent anew, or taken back, only where the client has a cookie."""
    from django.conf import settings

    return "session" in request.__dict__ or settings.SESSION_COOKIE_NAME in request.COOKIES


def _messages_due(request: Any) -> bool:
    return "_messages" in request.__dict__


def _token_due(request: Any) -> bool:
    """The token is sent where ``META`` says so, and nobody can have said so where it was not made."""
    return "META" in request.__dict__


_DUE: dict[str, Callable[[Any], bool]] = {
    "django.contrib.sessions.middleware.SessionMiddleware": _session_due,
    "django.contrib.messages.middleware.MessageMiddleware": _messages_due,
    "django.middleware.csrf.CsrfViewMiddleware": _token_due,
}

_KNOWN: dict[str, dict[str, Blocks]] = {
    "django.middleware.security.SecurityMiddleware": {},
    "django.middleware.csp.ContentSecurityPolicyMiddleware": {},
    "django.middleware.clickjacking.XFrameOptionsMiddleware": {},
    "django.middleware.common.CommonMiddleware": {},
    "django.middleware.common.BrokenLinkEmailsMiddleware": {"process_response": _not_found},
    "django.middleware.gzip.GZipMiddleware": {},
    "django.middleware.http.ConditionalGetMiddleware": {},
    "django.middleware.locale.LocaleMiddleware": {},
    "django.middleware.csrf.CsrfViewMiddleware": {
        "process_request": _token_in_session,
        "process_view": _reads_token,
        "process_response": _writes_token,
    },
    "django.contrib.sessions.middleware.SessionMiddleware": {"process_response": _saves_session},
    "django.contrib.auth.middleware.AuthenticationMiddleware": {},
    "django.contrib.auth.middleware.LoginRequiredMiddleware": {"process_view": _has_session},
    "django.contrib.messages.middleware.MessageMiddleware": {"process_response": _stores_messages},
    "django.contrib.admindocs.middleware.XViewMiddleware": {"process_view": _has_session},
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware": {"process_response": _not_found},
    "django.contrib.redirects.middleware.RedirectFallbackMiddleware": {"process_response": _not_found},
}
