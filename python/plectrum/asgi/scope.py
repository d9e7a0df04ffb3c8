"""A request as ASGI's connection scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from plectrum._core import Request

from .types import Scope

__all__ = ["header_pairs", "scope_of"]


def scope_of(request: Request, kind: str, root_path: str, state: dict[str, Any]) -> Scope:
    """What an application is told of a request.

    Parameters:
        request: as Plectrum has it; scheme and client are what trusted proxies say.
        kind: ``http`` or ``websocket``.
        root_path: where the application is mounted; ``path`` begins with it.
        state: the lifespan's; copied, as each request has its own.

    Source: ASGI, "HTTP connection scope".
    """
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    variables = request._environ()
    scheme = request.scheme if kind == "http" else {"http": "ws", "https": "wss"}[request.scheme]
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": scheme,
        "path": unquote(request.path),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query_string.encode("latin-1"),
        "root_path": root_path,
        "headers": headers,
        "client": request.client,
        "server": (variables["SERVER_NAME"].strip("[]"), int(variables["SERVER_PORT"] or 0)),
        "state": dict(state),
        "extensions": {},
    }


def header_pairs(headers: Iterable[Any]) -> list[tuple[str, str]]:
    """Header fields of a message as text."""
    return [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in headers]
