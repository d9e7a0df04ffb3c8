"""An export as a Django response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from plectrum.responses import Stream

from .options import Format
from .stream import BATCH, serialize_stream

__all__ = ["StreamingExport"]


class StreamingExport(StreamingHttpResponse):
    """Streams a queryset to the client, from synchronous and asynchronous views alike.

    Parameters:
        queryset, schema, format, guard_formulas, batch: as :func:`plectrum.export.serialize_stream`.
        filename: name under which a browser saves the file; shown in the browser where ``None``.
        status, headers: as Django's ``StreamingHttpResponse``.

    Errors:
        PlanError, ConfigurationError: as :func:`plectrum.export.serialize_stream`.

    A client that goes away stops the query. An error after the first piece ends the connection without the end of the
    body, and leaves a file that its format's readers refuse.
    """

    def __init__(
        self,
        queryset: QuerySet[Any, Any],
        schema: Any = None,
        format: Format = "json",
        *,
        filename: str | None = None,
        guard_formulas: bool = False,
        batch: int = BATCH,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.stream = serialize_stream(queryset, schema, format, guard_formulas=guard_formulas, batch=batch)
        super().__init__(self.stream, status=status, headers=headers)
        self.headers.setdefault("Content-Type", self.stream.content_type)
        if headers is None or "Content-Type" not in headers:
            self.headers["Content-Type"] = self.stream.content_type
        disposition = content_disposition_header(filename is not None, filename or "")
        if disposition is not None:
            self.headers["Content-Disposition"] = disposition

    def __plectrum_response__(self) -> Stream:
        """What a handler of Plectrum's that returns it sends."""
        return Stream(self.stream, self.status_code, dict(self.headers))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Django would collect a synchronous iterator before it sends the first byte."""
        if getattr(self, "_iterator", None) is self.stream:  # no middleware has wrapped it
            async for piece in self.stream:
                yield piece
            return
        wrapped = cast("Iterator[bytes]", self.streaming_content)
        following = sync_to_async(lambda: next(wrapped, None))
        while (next_piece := await following()) is not None:
            yield next_piece
