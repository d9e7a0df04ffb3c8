"""Answers on both sides of middleware: Plectrum's as Django's ``HttpResponse``, and back.

A body stays where it was made. Only what a middleware reads becomes Python's, only what it replaces is sent instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils.functional import cached_property

from plectrum._core import Response
from plectrum.hygiene import connections_kept, keeps
from plectrum.responses import Stream

__all__ = ["Answer", "StreamedAnswer", "as_django", "pairs_of", "sent"]

_CHUNK = 64 * 1024


def as_django(made: Response) -> HttpResponseBase:
    """A response of Plectrum's as middleware sees it."""
    return StreamedAnswer(made) if made._length is None else Answer(made)


class _Made:
    """What both kinds have in common: a head of Django's over a response of ours."""

    made: Response
    headers: ResponseHeaders
    _closable_objects: list[Any]

    def _take_head(self, made: Response) -> None:
        # Not `HttpResponseBase.__init__`: it would look for a charset and a content type that the headers have.
        self.made = made
        self.status_code = made.status
        self.headers = ResponseHeaders.__new__(ResponseHeaders)
        self._resource_closers: list[Any] = []
        self._handler_class = None
        self.cookies: SimpleCookie = SimpleCookie()
        self.closed = False
        self._reason_phrase = None
        self._charset = None
        self._lines: list[str] = []
        store: dict[str, tuple[str, str]] = {}
        self.headers._store = store
        for name, value in made.headers:
            if name == "set-cookie":
                self._lines.append(value)
            elif name in store:
                store[name] = (name, f"{store[name][1]}, {value}")
            else:
                store[name] = (name, value)


class Answer(_Made, HttpResponse):
    """A whole answer that middleware may change.

    Parameters:
        made: the response.
    """

    def __init__(self, made: Response) -> None:
        self._take_head(made)
        # `CommonMiddleware` would read the body for it.
        self.headers._store["content-length"] = ("content-length", str(made._length))

    @cached_property
    def _container(self) -> list[bytes]:
        self._own = self.made.body or b""
        return [self._own]

    @property
    def changed(self) -> bool:
        """Whether the body is another than the one that was made."""
        container = self.__dict__.get("_container")
        return container is not None and not (len(container) == 1 and container[0] is self.__dict__.get("_own"))


class StreamedAnswer(_Made, StreamingHttpResponse):
    """An answer that is made while it is sent.

    Parameters:
        made: the response.
    """

    def __init__(self, made: Response) -> None:
        self._take_head(made)
        self._source = made._source
        self.is_async = bool(getattr(self._source, "is_async", False))

    @cached_property
    def _iterator(self) -> Iterator[bytes] | AsyncIterator[bytes]:
        if self._source is None:
            raise RuntimeError(
                "A middleware reads a body that Rust makes while it is sent. Take it out for this route: "
                'django_middleware={"exclude": […]}; compression is there without it (docs/edge.md).'
            )
        return _read(self._source) if isinstance(self._source, str) else self._source.pieces()

    @property
    def changed(self) -> bool:
        """Whether the body was read, or is another than the one that was made."""
        return "_iterator" in self.__dict__


def _read(path: str) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def sent(response: HttpResponseBase) -> Response:
    """A response of Django's as it is sent; a streamed one is closed after its last byte."""
    headers = pairs_of(response)
    if isinstance(response, (Answer, StreamedAnswer)) and not response.changed:
        return response.made._headed(response.status_code, headers)
    if response.streaming:
        return Stream(_pieces(response), response.status_code, headers, response.headers.get("content-type", ""))
    return Response(b"".join(response), response.status_code, headers)


def pairs_of(response: HttpResponseBase) -> list[tuple[str, str]]:
    """Name and value of every header, those of cookies included; a whole body's length is known without one."""
    pairs: list[tuple[str, str]] = [
        pair for name, pair in response.headers._store.items() if name != "content-length" or response.streaming
    ]
    if response.cookies:
        pairs += [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
    if isinstance(response, _Made):
        pairs += [("set-cookie", line) for line in response._lines]
    return pairs


def _pieces(response: Any) -> Iterator[bytes] | AsyncIterator[bytes]:
    kept = keeps()  # the thread that will send it cannot tell
    return _async_pieces(response, kept) if response.is_async else _sync_pieces(response, kept)


def _sync_pieces(response: Any, kept: bool) -> Iterator[bytes]:
    try:
        yield from response.streaming_content
    finally:
        with connections_kept(kept):
            response.close()


async def _async_pieces(response: Any, kept: bool) -> AsyncIterator[bytes]:
    try:
        async for piece in response.streaming_content:
            yield piece
    finally:
        with connections_kept(kept):
            response.close()
