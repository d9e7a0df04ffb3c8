"""What drives a streamed response: one coroutine for an async iterator, one thread for a plain one.

The Rust half, with the queue between driver and socket, is ``crates/py/src/stream.rs``.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from . import _core
from .errors import line_of_error

__all__ = ["Source", "source"]

_log = logging.getLogger("plectrum.request")

Encode = Callable[[Any], "bytes | str"]


class Source:
    """An iterator that will be sent, and the context it was made in.

    Parameters:
        items: what is sent, one by one.
        is_async: whether ``items`` is iterated with ``async for``.
        encode: makes bytes or text of an item; items are either already where ``None``.
    """

    __slots__ = ("_context", "_encode", "_items", "endless", "heartbeat", "is_async")

    def __init__(self, items: AsyncIterable[Any] | Iterable[Any], is_async: bool, encode: Encode | None) -> None:
        self._items: Any = items
        self._encode = encode
        self._context = contextvars.copy_context()
        self.is_async = is_async
        #: Ends when the server stops, as it has no end of its own.
        self.endless = False
        #: The longest silence of an endless stream, in seconds.
        self.heartbeat: float | None = None

    def pieces(self) -> Iterator[bytes] | AsyncIterator[bytes]:
        """What would be sent, for whoever changes it first."""
        return self._async_pieces() if self.is_async else self._sync_pieces()

    def _bytes(self, item: Any) -> bytes:
        piece = item if self._encode is None else self._encode(item)
        return piece.encode() if isinstance(piece, str) else bytes(piece)

    def _sync_pieces(self) -> Iterator[bytes]:
        for item in self._items:
            yield self._bytes(item)

    async def _async_pieces(self) -> AsyncIterator[bytes]:
        async for item in self._items:
            yield self._bytes(item)

    def start(self, queue: _core.StreamQueue, route: str) -> asyncio.Task[None]:
        """Begins to drive an async iterator.

        Parameters:
            queue: where the bytes go.
            route: the route's name, for the log.

        Returns:
            the task; cancelled when the client goes away.
        """
        task = asyncio.get_running_loop().create_task(self._drive(queue), context=self._context)
        task.add_done_callback(functools.partial(_ended, queue, route))
        return task

    async def _drive(self, queue: _core.StreamQueue) -> None:
        push = self._push(queue)
        items: AsyncIterator[Any] = aiter(self._items)
        try:
            async for item in items:
                if (room := push(item)) is not None:
                    await room
        finally:
            # Generators have it, other iterators need not.
            if (close := getattr(items, "aclose", None)) is not None:
                await close()

    def _push(self, queue: _core.StreamQueue) -> Callable[[Any], asyncio.Future[None] | None]:
        """Adds an item to the queue; events are written where they go."""
        encode = self._encode
        if encode is None:
            return queue.push
        if encode is _core.encode_event:
            return queue.push_event
        return lambda item: queue.push(encode(item))

    def run(self, queue: _core.StreamQueue, route: str) -> None:
        """Drives a plain iterator to its end, on the calling thread. Parameters: as :meth:`start`."""
        self._context.run(self._run, queue, route)

    def _run(self, queue: _core.StreamQueue, route: str) -> None:
        broken = True
        items: Iterator[Any] | None = None
        try:
            items = iter(self._items)
            for item in items:
                if not queue.put(item if self._encode is None else self._encode(item)):
                    break
            broken = False
        except Exception as error:  # noqa: BLE001 - whatever the user's generator raises
            _report(route, error)
        finally:
            if (close := getattr(items, "close", None)) is not None:
                close()
            queue.close(broken)


def source(content: AsyncIterable[Any] | Iterable[Any], encode: Encode | None = None) -> Source:
    """The source of a streamed body.

    Parameters:
        content: an async or plain iterable; text and bytes are no streams.
        encode: makes bytes or text of an item.

    Errors:
        TypeError: ``content`` cannot be iterated, or is one piece.
    """
    if isinstance(content, AsyncIterable):
        return Source(content, True, encode)
    if hasattr(content, "__iter__") and not isinstance(content, (str, bytes, bytearray, memoryview)):
        return Source(content, False, encode)
    found = type(content).__name__
    if callable(content):
        raise TypeError(f"A stream is made of an iterator, not of the function {found}. Call the generator function.")
    raise TypeError(f"A stream is made of an iterator, not of {found}. Return Response(...) to send one piece.")


def _ended(queue: _core.StreamQueue, route: str, task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _report(route, error)
    queue.close(task.cancelled() or error is not None)


def _report(route: str, error: BaseException) -> None:
    place = line_of_error(error)
    _log.error(
        "%s: the stream was cut off: %s: %s%s",
        route,
        type(error).__name__,
        error,
        f" at {place}" if place else "",
        exc_info=error,
    )
