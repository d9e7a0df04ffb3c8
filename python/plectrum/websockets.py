"""WebSockets: what handlers raise and catch; the object itself is :class:`plectrum.WebSocket`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ._core import WebSocket
from .errors import ConfigurationError, PlectrumError, line_of

if TYPE_CHECKING:
    from .routing import Route
    from .signature import Parameter

__all__ = ["WebSocket", "WebSocketDisconnect", "check_socket"]


class WebSocketDisconnect(PlectrumError):  # noqa: N818 - the name Starlette and FastAPI gave it
    """The other side is gone. A handler may let it pass: the conversation is over.

    Parameters:
        code: of the close; 1005 where the client gave none, 1006 where the connection broke (RFC 6455, section 7.4.1).
        reason: the client's words.
    """

    def __init__(self, code: int = 1000, reason: str = "") -> None:
        super().__init__(f"the WebSocket was closed with {code}{f': {reason}' if reason else ''}")
        self.code = code
        self.reason = reason


def check_socket(route: Route, parameters: Iterable[Parameter]) -> None:
    """Refuses handlers whose route cannot give them what they ask for.

    Errors:
        ConfigurationError: a WebSocket on another route than a WebSocket's, a body on one, or none asked for.
    """
    sources = {parameter.source for parameter in parameters}
    where = f"{line_of(route.handler)}: {route.handler.__qualname__}()"
    if route.websocket is None:
        if "websocket" in sources:
            raise ConfigurationError(f"{where} takes a WebSocket. Register it with @api.websocket({route.path!r}).")
        return
    if "websocket" not in sources:
        raise ConfigurationError(f"{where} takes no WebSocket. Add a parameter: websocket: WebSocket.")
    if route.options.sync:
        raise ConfigurationError(f"{where} is a WebSocket's handler, which cannot run in the thread pool (sync=True).")
    if sources & {"body", "body_field", "form"}:
        raise ConfigurationError(
            f"{where} takes a body, which the request for a WebSocket has not. Take it from the path, the query, "
            "headers or cookies, or receive it as a message."
        )
