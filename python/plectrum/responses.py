"""Answers with their own status, headers and media type."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ._core import Response
from .background import BackgroundTasks
from .streaming import source

__all__ = ["HTML", "JSON", "NDJSON", "File", "PlainText", "Redirect", "Response", "Stream"]

_Headers = Mapping[str, str] | Iterable[tuple[str, str]]
_Background = Callable[[], Any] | BackgroundTasks
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


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

    Errors:
        ValueError: another status, which would send nobody anywhere.
    """

    def __new__(
        cls,
        location: str,
        status: int = 307,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> Redirect:
        """An answer without a body."""
        if status not in _REDIRECTS:
            raise ValueError(f"Redirect(status={status}): a client goes elsewhere for 301, 302, 303, 307 and 308.")
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


class File(Response):
    """A file, read in Rust while it is sent.

    Ranges (206, 416, several at once), ``If-Range``, ``ETag``, ``Last-Modified``, their conditions (304, 412) and HEAD
    are answered as RFC 9110 has it. A file that is not there is a 404.

    Parameters:
        path: of the file; opened when the answer is sent. Never take it from a client as it is.
        filename: what the client shall save it as; shown in the browser where ``None``.
        media_type: of the content; by the file's extension where ``None``.
        headers: added to the answer; an ``ETag`` among them is sent instead of the file's own.
        background: called after the last byte was sent.
    """

    def __new__(
        cls,
        path: str | os.PathLike[str],
        filename: str | None = None,
        media_type: str | None = None,
        headers: _Headers | None = None,
        background: _Background | None = None,
    ) -> File:
        """Nothing is opened yet."""
        place = os.fspath(path)
        media_type = media_type or mimetypes.guess_type(filename or place)[0] or "application/octet-stream"
        if media_type.startswith("text/") and "charset" not in media_type:
            media_type += "; charset=utf-8"
        answer = super().__new__(cls, None, 200, headers, media_type, background, place)
        if filename is not None:
            answer.set_header("content-disposition", _attachment(filename))
        return answer


def _attachment(filename: str) -> str:
    """``Content-Disposition`` with a name of any characters (RFC 6266, RFC 8187)."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%' else "_" for letter in filename)
    extended = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{extended}'
