"""The routes of a mounted ASGI application."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from plectrum._core import Request, Response, WebSocket
from plectrum.errors import DECLARED_AT, ConfigurationError, line_of_caller
from plectrum.mount import METHODS, checked_prefix
from plectrum.routing import Options, Route, Socket

from .http import answer
from .lifespan import Lifespan
from .socket import converse
from .types import Application

__all__ = ["asgi_routes", "checked_app"]


def checked_app(app: Any, where: str) -> Application:
    """``app``, where it can be one.

    Errors:
        ConfigurationError: it is not called with scope, receive and send.
    """
    try:
        parameters = inspect.signature(app).parameters.values()
        takes = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        fits = len(takes) == 3 or any(p.kind is p.VAR_POSITIONAL for p in parameters)
    except (TypeError, ValueError):
        fits = callable(app)
    if not fits:
        raise ConfigurationError(
            f"{where}: {app!r} is no ASGI application: it is not called with (scope, receive, send)."
        )
    found: Application = app
    return found


def asgi_routes(path: str, app: Any, lifespan: Lifespan, origins: Iterable[str]) -> Iterator[Route]:
    """Routes that hand everything below ``path`` to an application.

    Parameters:
        path: absolute, ``"/"`` for all that no other route answers.
        app: the application.
        lifespan: where its state is.
        origins: whose pages may open WebSockets, besides those of ``WEBSOCKET_ORIGINS`` and the server's own.

    Errors:
        ConfigurationError: the path is none, or the application.
    """
    where = line_of_caller()
    root_path = checked_prefix(f"mount_asgi({path!r})", path)
    mounted = _Mounted(checked_app(app, where), root_path, lifespan, where)
    options = Options(name=mounted.name, include_in_schema=False, auth=None, guards=(), throttle=None, stream=True)
    talking = Options(name=mounted.name, include_in_schema=False, auth=None, guards=(), throttle=None)
    paths = ("/", "/{path:path}") if path == "/" else (path, f"{path}/", f"{path}/{{path:path}}")
    for place in paths:
        for method in METHODS:
            handler = mounted.http(takes_path=place.endswith("}"))
            yield Route(method=method, path=place, handler=handler, options=options, mounted=True)
        socket = Socket(origins=tuple(origins))
        handler = mounted.socket(takes_path=place.endswith("}"))
        yield Route(method="GET", path=place, handler=handler, options=talking, websocket=socket, mounted=True)


class _Mounted:
    """An application as handlers."""

    def __init__(self, app: Application, root_path: str, lifespan: Lifespan, where: str) -> None:
        self._app = app
        self._root_path = root_path
        self._lifespan = lifespan
        self._where = where
        self.name = f"asgi{root_path.replace('/', '_')}"

    def http(self, *, takes_path: bool) -> Any:
        """A handler of requests, with the signature of its route."""

        async def at_root(request: Request) -> Response:
            return await answer(self._app, request, self._root_path, self._lifespan.state)

        async def below(request: Request, path: str) -> Response:
            return await answer(self._app, request, self._root_path, self._lifespan.state)

        return self._named(below if takes_path else at_root)

    def socket(self, *, takes_path: bool) -> Any:
        """A handler of WebSockets, with the signature of its route."""

        async def at_root(websocket: WebSocket) -> None:
            await converse(self._app, websocket, self._root_path, self._lifespan.state)

        async def below(websocket: WebSocket, path: str) -> None:
            await converse(self._app, websocket, self._root_path, self._lifespan.state)

        return self._named(below if takes_path else at_root)

    def _named(self, handler: Any) -> Any:
        handler.__name__ = handler.__qualname__ = self.name
        setattr(handler, DECLARED_AT, self._where)
        return handler
