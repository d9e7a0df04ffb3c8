"""Server-sent events: streams that browsers read with ``EventSource`` (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

from ._core import Response, encode_event
from .background import BackgroundTasks
from .streaming import Source, source

__all__ = ["Event", "EventStream"]


class Event:
    """One event.

    Parameters:
        data: text as it is, any other value as JSON; an event without data is not seen by browsers.
        event: its kind, for ``addEventListener``; browsers call it ``message`` where absent.
        id: sent back as ``Last-Event-ID`` by a client that comes back.
        retry: milliseconds before a client comes back after a break.
        comment: what clients ignore.
    """

    __slots__ = ("comment", "data", "event", "id", "retry")

    def __init__(
        self,
        data: Any = None,
        *,
        event: str | None = None,
        id: str | int | None = None,
        retry: int | None = None,
        comment: str | None = None,
    ) -> None:
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
        self.comment = comment

    def __repr__(self) -> str:
        given = (f"{name}={value!r}" for name in self.__slots__ if (value := getattr(self, name)) is not None)
        return f"Event({', '.join(given)})"


class EventStream(Response):
    """Events, sent as they happen, until the client goes away, the iterator ends, or the server stops.

    Parameters:
        content: an async or plain iterator of :class:`Event`, of text, or of values with a JSON form.
        heartbeat: the longest silence in seconds, after which a comment is sent, so that proxies do not give the stream
            up and a client that is gone is noticed; ``None`` for none.
        headers: added to the answer.
        background: called after the last event was sent.

    Errors:
        TypeError: ``content`` is no iterator.
        ValueError: ``heartbeat`` is not positive.

    Source: WHATWG HTML, section 9.2. A client that comes back says the last event's id in the header ``Last-Event-ID``.
    """

    def __new__(
        cls,
        content: AsyncIterable[Any] | Iterable[Any],
        *,
        heartbeat: float | None = 15.0,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        background: Any | BackgroundTasks | None = None,
    ) -> EventStream:
        """Nothing is asked of the iterator yet."""
        if heartbeat is not None and not heartbeat > 0:
            raise ValueError(f"heartbeat={heartbeat} is no time between two signs of life. Give seconds, or None.")
        events: Source = source(content, encode_event)
        events.endless, events.heartbeat = True, heartbeat
        made = super().__new__(cls, None, 200, headers, "text/event-stream; charset=utf-8", background, events)
        made.set_header("cache-control", "no-cache")
        # nginx would collect events until its buffer is full.
        made.set_header("x-accel-buffering", "no")
        return made
