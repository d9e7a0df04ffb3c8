"""Answers with their own status, headers and media type."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any

from ._core import Response
from .background import BackgroundTasks
from .streaming import source

__all__ = ["HTML", "JSON", "NDJSON", "PlainText", "Redirect", "Response", "Stream"]

_Headers = Mapping[str, str] | Iterable[tuple[str, str]]
_Background = Callable[[], Any] | BackgroundTasks


class JSON(Response):
    """A value written as JSON, whatever its type.

    Parameters:
        content: any value with a JSON form.
        status: 200 to 599.
        headers: added to the answer; pairs where a name repeats.
        background: called after the answer was sent.
    """

    def __new__(
        cls,
        content: Any = None,
        status: int = 200,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> JSON:
        """Encodes the value at once, so that errors point at the handler."""
        from ._core import encode

        return super().__new__(cls, encode(content), status, headers, "application/json", background)


class HTML(Response):
    """HTML text. Parameters: as :class:`JSON`, with text content."""

    def __new__(
        cls,
        content: str = "",
        status: int = 200,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> HTML:
        """Encodes the text as UTF-8."""
        return super().__new__(cls, content, status, headers, "text/html; charset=utf-8", background)


class PlainText(Response):
    """Plain text. Parameters: as :class:`JSON`, with text content."""

    def __new__(
        cls,
        content: str = "",
        status: int = 200,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> PlainText:
        """Encodes the text as UTF-8."""
        return super().__new__(cls, content, status, headers, "text/plain; charset=utf-8", background)


class Redirect(Response):
    """Sends the client elsewhere.

    Parameters:
        location: URL, absolute or relative.
        status: 301, 302, 303, 307 or 308 (RFC 9110, section 15.4).
        headers: added to the answer; pairs where a name repeats.
        background: called after the answer was sent.
    """

    def __new__(
        cls,
        location: str,
        status: int = 307,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> Redirect:
        """An answer without a body."""
        redirect = super().__new__(cls, None, status, headers, None, background)
        redirect.set_header("location", location)
        return redirect


class Stream(Response):
    """Bytes or text, sent as they are made.

    One coroutine drives an async iterator from beginning to end, in the context the stream was made in; a plain one is
    driven on a thread. No more than 64 KiB are made ahead of what the client takes. When the client goes away, an async
    iterator gets ``CancelledError`` where it waits, and a plain one is closed at its next item.

    Parameters:
        content: an async or plain iterator of bytes or text, such as a generator.
        status: 200 to 599.
        headers: added to the answer; pairs where a name repeats.
        media_type: of the body.
        background: called after the last byte was sent.

    Errors:
        TypeError: ``content`` is no iterator.
    """

    def __new__(
        cls,
        content: AsyncIterable[bytes | str] | Iterable[bytes | str],
        status: int = 200,
        headers: _Headers | None = None,
        media_type: str = "application/octet-stream",
        background: _Background | None = None,
    ) -> Stream:
        """Nothing is asked of the iterator yet."""
        return super().__new__(cls, None, status, headers, media_type, background, source(content))


class NDJSON(Response):
    """JSON values, each on a line of its own, sent as they are made (https://github.com/ndjson/ndjson-spec).

    Parameters:
        items: an async or plain iterator of values with a JSON form.
        status, headers, background: as :class:`Stream`.
    """

    def __new__(
        cls,
        items: AsyncIterable[Any] | Iterable[Any],
        status: int = 200,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> NDJSON:
        """Nothing is asked of the iterator yet."""
        from ._core import encode

        lines = source(items, lambda item: encode(item) + b"\n")
        return super().__new__(cls, None, status, headers, "application/x-ndjson", background, lines)
