"""One WebSocket of an ASGI application."""

from __future__ import annotations

from typing import Any

from plectrum._core import WebSocket
from plectrum.websockets import WebSocketDisconnect

from .http import ASGIError
from .scope import header_pairs, scope_of
from .types import Application, Message

__all__ = ["converse"]


async def converse(app: Application, websocket: WebSocket, root_path: str, state: dict[str, Any]) -> None:
    """Lets the application hold a conversation; what it raises ends it with 1011.

    Source: ASGI, "WebSocket".
    """
    scope = scope_of(websocket.request, "websocket", root_path, state)
    scope["subprotocols"] = websocket.subprotocols
    conversation = _Conversation(websocket)
    try:
        await app(scope, conversation.receive, conversation.send)
    except Exception as error:
        # Starlette's, which it lets through where the application does not catch it; it says nothing that is not known.
        if not conversation.is_over or type(error).__name__ != "WebSocketDisconnect":
            raise


class _Conversation:
    """The protocol's two halves over a socket of ours."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._connected = False
        self._goodbye: Message | None = None

    @property
    def is_over(self) -> bool:
        """Whether the application was told that the client is gone."""
        return self._goodbye is not None

    async def receive(self) -> Message:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        if self._goodbye is not None:
            return self._goodbye
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            self._goodbye = message
        return message

    async def send(self, message: Message) -> None:
        """Takes an event.

        Errors:
            ASGIError: there is no such event. OSError: the client is gone.
        """
        kind = message.get("type")
        try:
            if kind == "websocket.accept":
                await self._websocket.accept(message.get("subprotocol"), header_pairs(message.get("headers", ())))
            elif kind == "websocket.send":
                text = message.get("text")
                await self._websocket.send(bytes(message["bytes"]) if text is None else text)
            elif kind == "websocket.close":
                code = message.get("code")
                await self._websocket.close(1000 if code is None else code, message.get("reason") or "")
            else:
                raise ASGIError(f"The application sent {kind!r}, which is no event of a WebSocket.")
        except WebSocketDisconnect as error:
            raise OSError(str(error)) from error
