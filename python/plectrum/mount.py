"""Django's own URLconf, served by the same process: the admin, and every view that is not an API's yet.

A request for a mounted path goes to Django whole: its middleware, its URLconf, its error pages. Django's views are
called as a WSGI server calls them, in the thread pool, with one hop for a request however many middleware there are.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from ._core import Request, Response
from .errors import ConfigurationError
from .hygiene import connections_kept
from .responses import Stream
from .routing import Options, Route

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

__all__ = ["METHODS", "DjangoMount", "checked_prefix", "django_routes", "environ_of"]

#: What Django's views may be asked with; HEAD is answered from GET.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def django_routes(prefix: str, urlconf: str | None) -> Iterator[Route]:
    """Routes that hand everything below ``prefix`` to Django.

    Parameters:
        prefix: absolute path, ``"/"`` for all that no other route answers.
        urlconf: dotted name of a URLconf; ``ROOT_URLCONF`` where ``None``.

    Errors:
        ConfigurationError: Django is not set up, or the path is none.
    """
    mount = DjangoMount(checked_prefix(f"mount_django({prefix!r})", prefix), urlconf)
    options = Options(name=mount.__name__, sync=True, include_in_schema=False, auth=None, guards=(), throttle=None)
    paths = ("/", "/{path:path}") if prefix == "/" else (prefix, f"{prefix}/", f"{prefix}/{{path:path}}")
    for path in paths:
        handler = mount.below if path.endswith("}") else mount.at_root
        for method in METHODS:
            yield Route(method=method, path=path, handler=handler, options=options, mounted=True)


def checked_prefix(call: str, path: str) -> str:
    """What stands before every path of a mounted application: nothing where it is mounted at ``"/"``.

    Errors:
        ConfigurationError: ``path`` does not start with a slash, or ends with one; ``call`` is what asked for it.
    """
    if not path.startswith("/") or (path.endswith("/") and path != "/"):
        raise ConfigurationError(f'{call}: the path starts with "/" and does not end with one.')
    return "" if path == "/" else path


class DjangoMount:
    """Django as a handler.

    Parameters:
        script_name: path it is mounted at, without a slash at its end; before every URL ``reverse()`` gives.
        urlconf: dotted name of a URLconf; ``ROOT_URLCONF`` where ``None``.
    """

    def __init__(self, script_name: str, urlconf: str | None) -> None:
        self.script_name = script_name
        self.__name__ = f"django{script_name.replace('/', '_')}"
        self._handler = _load(urlconf)
        self.at_root = _handler(self, takes_path=False)
        self.below = _handler(self, takes_path=True)

    def __call__(self, request: Request) -> Response:
        """Django's answer to ``request``. Source: ``django.core.handlers.wsgi.WSGIHandler.__call__``."""
        from django.core.handlers.wsgi import WSGIRequest
        from django.core.signals import request_started
        from django.urls import set_script_prefix

        environ = environ_of(request, self.script_name)
        set_script_prefix(f"{self.script_name}/")
        with connections_kept():
            request_started.send(sender=type(self._handler), environ=environ)
            response = self._handler.get_response(WSGIRequest(environ))
            response._handler_class = type(self._handler)
            return _sent(response)


def environ_of(request: Request, script_name: str = "") -> dict[str, Any]:
    """A request as WSGI describes it (PEP 3333).

    Parameters:
        request: as Plectrum has it.
        script_name: the beginning of its path that the application is not to see.
    """
    path = unquote_to_bytes(request.path).decode("latin-1")
    body = request.body
    environ = request._environ()
    environ.update(
        {
            "SCRIPT_NAME": script_name,
            "PATH_INFO": path[len(script_name) :],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
    )
    return environ


def _sent(response: HttpResponseBase) -> Response:
    """Django's response as one of ours; closed, so that ``request_finished`` is sent, after its last byte."""
    headers = [*response.items(), *(("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values())]
    if response.streaming:
        return Stream(_chunks(response), response.status_code, headers, response["Content-Type"])
    try:
        return Response(b"".join(response), response.status_code, headers)
    finally:
        response.close()


def _chunks(response: Any) -> Iterator[bytes]:
    try:
        yield from response
    finally:
        with connections_kept():
            response.close()


def _load(urlconf: str | None) -> Any:
    """Django's handler with its middleware loaded."""
    from django.apps import apps

    if not apps.ready:
        raise ConfigurationError(
            "mount_django(): Django is not set up yet. Mount in the module that PLECTRUM['API'] names, or call "
            "django.setup() before."
        )
    from django.core.handlers.base import BaseHandler

    class Handler(BaseHandler):
        def resolve_request(self, request: HttpRequest) -> Any:
            if urlconf is not None and not hasattr(request, "urlconf"):
                request.urlconf = urlconf
            return super().resolve_request(request)

    handler = Handler()
    handler.load_middleware()
    return handler


def _handler(mount: DjangoMount, *, takes_path: bool) -> Any:
    """``mount`` with the signature of its route."""
    from django.db import connections

    def at_root(request: Request) -> Response:
        return mount(request)

    def below(request: Request, path: str) -> Response:
        return mount(request)

    handler: Any = below if takes_path else at_root
    handler.__name__ = handler.__qualname__ = mount.__name__
    # Django opens its own transactions around views (ATOMIC_REQUESTS); one around all of them would be another rule.
    handler._non_atomic_requests = set(connections)
    return handler
