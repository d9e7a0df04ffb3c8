"""One request to an ASGI application.

The application runs in a task of its own: its answer is sent while it goes on. A client that goes away is told to it
(``http.disconnect``, and ``OSError`` where it sends); it is not cancelled, as the specification has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from plectrum._core import Request, Response
from plectrum.errors import HTTPException
from plectrum.responses import Stream

from .scope import header_pairs, scope_of
from .types import Application, Message

__all__ = ["ASGIError", "Exchange", "answer"]


class ASGIError(RuntimeError):
    """An application that does not keep to the protocol."""


async def answer(app: Application, request: Request, root_path: str, state: dict[str, Any]) -> Response:
    """The application's answer.

    Errors:
        ASGIError: it ended without one. Whatever it raises before it answers.
    """
    exchange = Exchange(request)
    scope = scope_of(request, "http", root_path, state)
    task = asyncio.ensure_future(_run(app, scope, exchange))
    try:
        return await exchange.started
    except asyncio.CancelledError:
        exchange.disconnect()
        raise
    finally:
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)


#: Applications that run; the loop itself holds tasks only weakly.
_tasks: set[asyncio.Future[None]] = set()


async def _run(app: Application, scope: Any, exchange: Exchange) -> None:
    try:
        await app(scope, exchange.receive, exchange.send)
    except BaseException as error:
        exchange.fail(error)
        if not isinstance(error, Exception):
            raise
    else:
        exchange.end()


class Exchange:
    """What the server and the application share of a request.

    Parameters:
        request: its body is read as the application asks for it.
    """

    def __init__(self, request: Request) -> None:
        loop = asyncio.get_running_loop()
        self.started: asyncio.Future[Response] = loop.create_future()
        self._method = request.method
        self._body = aiter(request.stream())
        self._body_read = False
        self._refused: HTTPException | None = None
        self._over = asyncio.Event()
        self._head: tuple[int, list[tuple[str, str]]] | None = None
        self._pieces: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        #: Set while at most one piece waits to be sent: an application is as fast as its client.
        self._room = asyncio.Event()
        self._complete = False

    # -- the application's side -----------------------------------------------------------------------------------

    async def receive(self) -> Message:
        """The next event: pieces of the body, then, once the client is gone or answered, ``http.disconnect``."""
        if not self._body_read and not self._over.is_set():
            try:
                piece = await anext(self._body)
            except StopAsyncIteration:
                self._body_read = True
                return {"type": "http.request", "body": b"", "more_body": False}
            except HTTPException as error:  # too large, too slow, or cut off
                self._refused = error
                self._over.set()
            else:
                return {"type": "http.request", "body": piece, "more_body": True}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Takes an event.

        Errors:
            ASGIError: it is not the time for it. OSError: the client is gone.
        """
        kind = message.get("type")
        if kind == "http.response.start" and self._head is None:
            self._head = int(message["status"]), header_pairs(message.get("headers", ()))
        elif kind == "http.response.body" and self._head is not None and not self._complete:
            await self._send_body(bytes(message.get("body", b"")), bool(message.get("more_body", False)))
        elif self._complete and kind == "http.response.body":
            raise ASGIError("The application sent a body after its last piece (more_body was False).")
        else:
            wanted = "http.response.start" if self._head is None else "http.response.body"
            raise ASGIError(f"The application sent {kind!r} where {wanted!r} is due.")

    async def _send_body(self, piece: bytes, more: bool) -> None:
        self._complete = not more
        if not self.started.done():
            if self._refused is not None:
                self.started.set_exception(self._refused)  # what the application makes of it is not the reason
                self._over.set()
                return
            if not more:
                self.started.set_result(self._whole(piece))
                self._over.set()
                return
            self.started.set_result(self._stream())
        if self._over.is_set():
            raise OSError("The client is gone.")
        if piece:
            self._pieces.put_nowait(piece)
        if not more:
            self._pieces.put_nowait(None)
            self._over.set()
        elif self._pieces.qsize() > 1:
            self._room.clear()
            await self._room.wait()

    # -- the server's side ----------------------------------------------------------------------------------------

    def _whole(self, body: bytes) -> Response:
        status, headers = self._head or (500, [])
        if self._method == "HEAD":
            # Its length is that of the body a GET would have; there is none here to count.
            return Stream(_nothing(), status, headers, _type_of(headers))
        return Response(body, status, headers)

    def _stream(self) -> Response:
        status, headers = self._head or (500, [])
        return Stream(self._sent(), status, headers, _type_of(headers))

    async def _sent(self) -> AsyncIterator[bytes]:
        try:
            while (piece := await self._pieces.get()) is not None:
                self._room.set()
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Nobody reads any more: the application's next event says so, and what it sends fails."""
        self._over.set()
        self._room.set()  # a sender that waits goes on, and finds out next time

    def fail(self, error: BaseException) -> None:
        """The application raised: an answer that has begun is cut off, another one is a 500."""
        if self._refused is not None:
            error = self._refused  # what made it raise
        if not self.started.done():
            self.started.set_exception(error if isinstance(error, Exception) else _Cancelled())
        elif not self._complete:
            self._hand(error)
        elif isinstance(error, Exception):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "An ASGI application failed after its answer was complete", "exception": error}
            )
        self._over.set()

    def end(self) -> None:
        """The application returned."""
        if not self.started.done():
            what = "a body" if self._head else "an answer"
            self.started.set_exception(ASGIError(f"The application returned without {what}."))
        elif not self._complete:
            self._hand(ASGIError("The application returned before the last piece of its body (more_body was True)."))
        self._over.set()

    def _hand(self, error: BaseException) -> None:
        if not self._over.is_set():
            self._pieces.put_nowait(error)


class _Cancelled(Exception):  # noqa: N818 - what the client is told when the server stops
    """The application was cancelled before it answered."""


def _type_of(headers: list[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
