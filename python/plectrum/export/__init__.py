"""Querysets of any length as JSON, NDJSON or CSV, in memory that does not grow with them.

:func:`serialize_stream` gives the bytes piece by piece, :class:`StreamingExport` is a Django response of them, and
``manage.py plectrum export`` writes them to a file. Rows come from a cursor of the database: PostgreSQL's are read by
Rust on a connection of their own, everything else (SQLite, other engines, inside ``transaction.atomic()``) by Django's.

The way of the data: ``options`` → ``sources`` → ``stream`` → (``response``, ``command``).
"""

from __future__ import annotations

from .options import CONTENT_TYPES, Format
from .response import StreamingExport
from .sources import ExportError
from .stream import ExportStream, serialize_stream

__all__ = ["CONTENT_TYPES", "ExportError", "ExportStream", "Format", "StreamingExport", "serialize_stream"]
