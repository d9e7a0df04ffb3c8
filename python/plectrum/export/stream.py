"""The pieces of an export, for whoever sends them on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from plectrum import _core

from .options import CONTENT_TYPES, Format, Planned, plan_export
from .sources import FAILURES, ExportError, Source, source_of

__all__ = ["ExportStream", "serialize_stream"]

#: Rows fetched at once, unless asked for otherwise: of 15 columns, about half a megabyte.
BATCH = 1000


def serialize_stream(
    queryset: QuerySet[Any, Any],
    schema: Any = None,
    format: Format = "json",
    *,
    guard_formulas: bool = False,
    batch: int = BATCH,
) -> ExportStream:
    """The rows of a queryset as the bytes of a file, piece by piece.

    Parameters:
        queryset: any queryset but ``raw()``; ``select_related``, ``prefetch_related`` and ``values()`` are honoured.
        schema: a class (Schema, dataclass, TypedDict, msgspec, pydantic) whose annotations choose the fields; all of
            the model's where ``None``.
        format: ``json`` (one array), ``ndjson`` (a row per line) or ``csv`` (RFC 4180, with a header).
        guard_formulas: CSV only: put an apostrophe before text that a spreadsheet would take for a formula.
        batch: rows fetched at once; memory is proportional to it.

    Returns:
        An iterator, also an asynchronous one. The query runs when the first piece is asked for.

    Errors:
        PlanError: the queryset cannot be planned.
        ConfigurationError: a wrong format or batch.
        ExportError: while iterating; what was given until then is no readable file.
    """
    return ExportStream(plan_export(queryset, schema, format, guard_formulas, batch))


class ExportStream:
    """Iterator over the bytes of an export; see :func:`serialize_stream`.

    ``rows`` counts the rows given so far. ``close()`` stops the query; so does dropping the stream.
    """

    def __init__(self, planned: Planned) -> None:
        self._planned = planned
        self._source: Source | None = None
        self._failure: ExportError | None = None
        self._over = False
        self._begun = False
        self.rows = 0

    @property
    def content_type(self) -> str:
        """Media type of the file."""
        return CONTENT_TYPES[self._planned.options["format"]]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        piece = self._next()
        if piece is None:
            raise StopIteration
        return piece

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        """The same pieces, fetched on another thread: on Django's own where its connection is used."""
        piece = await sync_to_async(self._next)()  # Django's thread: its connection says which way it is
        elsewhere = sync_to_async(self._next, thread_sensitive=self._source is None or self._source.bound)
        try:
            while piece is not None:
                yield piece
                piece = await elsewhere()
        finally:
            await sync_to_async(self.close)()

    def close(self) -> None:
        """Stops the query, if it still runs."""
        self._over = True
        if self._source is not None:
            self._source.close()

    def _next(self) -> bytes | None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._over:
            return None
        try:
            if self._source is None:
                self._source = source_of(self._planned)
            found = self._source.next()
        except FAILURES as error:
            return self._fail(error)
        if found is None:
            self._over = True
            return None
        self._begun = True
        piece, self.rows = found
        return piece

    def _fail(self, error: Exception) -> bytes:
        """What was sent must not look complete, also where the end of a connection is the end of the file."""
        self._over = True
        failure = ExportError(str(error), self.rows)
        failure.__cause__ = error
        mark = _core.ExportFile(self._planned.options).broken() if self._begun else b""
        if not mark:
            raise failure
        self._failure = failure
        return mark
