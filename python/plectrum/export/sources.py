"""Where the bytes of an export come from: a connection of Rust's, or Django's."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Protocol

from django.db import Error

from plectrum import _core, conf
from plectrum.errors import PlectrumError
from plectrum.orm import connection_config, django_reason
from plectrum.orm.django_backend import batches, by_level

from .options import Planned

__all__ = ["ExportError", "Source", "source_of"]


class ExportError(PlectrumError):
    """An export broke off. What was written is not readable as a whole file; ``rows`` of it had been."""

    def __init__(self, why: str, rows: int) -> None:
        super().__init__(f"The export broke off after {rows:,} rows: {why}")
        self.rows = rows


class Source(Protocol):
    """Gives the pieces of one file."""

    #: Whether every piece has to be asked for on the same thread.
    bound: bool

    def next(self) -> tuple[bytes, int] | None:
        """The next piece and the number of rows so far; ``None`` after the last one.

        Errors:
            RuntimeError: of Rust's connection.
            django.db.Error: of Django's.
        """

    def close(self) -> None:
        """Stops the query."""


def source_of(planned: Planned) -> Source:
    """Chooses the connection, here and now: a transaction of this thread keeps its rows to itself."""
    using = planned.operation.using
    if planned.operation.backend == "django" or django_reason(using) is not None:
        return _Django(planned)
    config = connection_config(using, conf.current())
    if config["engine"] != "postgres":
        return _Django(planned)
    return _Postgres(planned, json.dumps(config["config"]))


class _Postgres:
    bound = False

    def __init__(self, planned: Planned, config: str) -> None:
        cursor = _core.ExportCursor(planned.options, [], config, planned.batch)
        self.next = cursor.next
        self.close = cursor.close


class _Django:
    bound = True

    def __init__(self, planned: Planned) -> None:
        self._pieces = _pieces_of_django(planned)

    def next(self) -> tuple[bytes, int] | None:
        return next(self._pieces, None)

    def close(self) -> None:
        self._pieces.close()


def _pieces_of_django(planned: Planned) -> Generator[tuple[bytes, int]]:
    file = _core.ExportFile(planned.options)
    head, count = file.begin(), 0
    for rowset in batches(planned.operation.queries[0], planned.batch):
        piece, count = file.rows(list(by_level(rowset)))
        yield head + piece, count
        head = b""
    if last := head + file.end():
        yield last, count


#: What a source raises.
FAILURES = (Error, RuntimeError)
