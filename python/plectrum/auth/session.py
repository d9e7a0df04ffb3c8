"""Django's sessions as a scheme, with the CSRF protection that cookies need."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import io
from typing import Any, cast

from ..errors import Forbidden
from .answers import Answer, Principal, vouched
from .scheme import Registry, Scheme

__all__ = ["Session"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Session(Scheme):
    """Users who logged in with Django (the admin, ``django.contrib.auth``), by their session cookie.

    The session engine, the user and the CSRF check are Django's own, run in the thread pool. CSRF is checked for
    methods other than GET, HEAD, OPTIONS and TRACE, where the session has a user: without one the cookie opens nothing.

    Parameters:
        csrf: check CSRF. Without it, any site a user visits can write in the user's name.
        name: name among OpenAPI's security schemes.

    Source: ``django.contrib.sessions``, ``django.middleware.csrf``; DRF's ``SessionAuthentication``.
    """

    csrf: bool = True
    name: str = "session"

    def describe(self, registry: Registry) -> dict[str, Any]:
        """As the Rust side reads it."""
        from django.conf import settings

        header = str(settings.CSRF_HEADER_NAME).removeprefix("HTTP_").replace("_", "-").lower()
        callback = registry.callback(functools.partial(_check, csrf=self.csrf), _vouched, f"{self.name} authentication")
        cookie = str(settings.SESSION_COOKIE_NAME)
        return {"type": "session", "callback": callback, "cookie": cookie, "csrf_header": header}


def _vouched(principal: Principal | None) -> Answer:
    return vouched(principal)


def _check(request: Any, body: bytes, *, csrf: bool) -> Principal | None:
    """Who a session belongs to. A session without a user is like none: the request goes on as anonymous.

    Errors:
        Forbidden: the CSRF check failed.
    """
    from django.contrib.auth import get_user

    django_request = _as_django(request, body)
    user = get_user(django_request)
    if not user.is_authenticated or not user.is_active:
        return None
    if csrf and (reason := _csrf_failure(django_request)):
        raise Forbidden(f"CSRF failed: {reason}")
    return Principal(subject=str(user.pk), claims={"sub": str(user.pk)}, user=user)


def _as_django(request: Any, body: bytes) -> Any:
    """The head of a request as Django sees it, with its session."""
    from django.conf import settings
    from django.core.handlers.asgi import ASGIRequest

    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query_string.encode("latin-1"),
        "scheme": request.scheme,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
        "client": request.client,
    }
    django_request: Any = ASGIRequest(scope, io.BytesIO(body))
    store = importlib.import_module(settings.SESSION_ENGINE).SessionStore
    django_request.session = store(django_request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return django_request


def _csrf_failure(django_request: Any) -> str | None:
    """Why Django's own check refuses; as in DRF's ``SessionAuthentication.enforce_csrf``."""
    check = _middleware()
    check.process_request(django_request)
    return cast("str | None", check.process_view(django_request, None, (), {}))


@functools.cache
def _middleware() -> Any:
    from django.middleware.csrf import CsrfViewMiddleware

    class Check(CsrfViewMiddleware):
        """Gives the reason instead of a page."""

        def _reject(self, request: Any, reason: Any) -> Any:
            return str(reason)

    return Check(cast("Any", bool))  # there is nothing behind it
