"""Constants of a statement: SQL literals on PostgreSQL, bound values on SQLite.

Django's PostgreSQL backend binds on the client: psycopg writes every value into the SQL as a literal. Doing the same
keeps the server's type inference and ``GROUP BY`` matching exactly as Django's users know them, where ``$n`` would
change both.
"""

from __future__ import annotations

import math
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from plectrum.errors import PlanError

from .internal import is_a

__all__ = ["postgres_literal", "sqlite_literal"]


def postgres_literal(value: Any, connection: BaseDatabaseWrapper) -> str:
    """A constant as psycopg's client-side cursor writes it.

    Parameters:
        value: as Django hands it to the driver.
        connection: Django's connection, for its adapters; it need not be open.

    Errors:
        PlanError: psycopg cannot adapt the value.
    """
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return _text(value)
    from django.conf import settings
    from django.db.backends.postgresql import psycopg_any
    from psycopg import ProgrammingError
    from psycopg.adapt import Transformer

    adapters = psycopg_any.get_adapters_template(settings.USE_TZ, connection.timezone)
    transformer = Transformer(_Context(adapters))
    try:
        return bytes(transformer.as_literal(value)).decode()
    except ProgrammingError as error:
        raise PlanError(f"The constant {value!r} cannot be written as an SQL literal: {error}.") from error


class _Context:
    """What psycopg needs to adapt values without a connection (its ``AdaptContext``)."""

    connection = None

    def __init__(self, adapters: Any) -> None:
        self.adapters = adapters


def _text(value: str) -> str:
    """A text literal that means the same under either ``standard_conforming_strings``."""
    if "\0" in value:
        raise PlanError("PostgreSQL text cannot contain NUL (0x00) characters.")
    quoted = value.replace("'", "''")
    return " E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in value else f"'{quoted}'"


def sqlite_literal(value: Any) -> tuple[str | None, Any]:
    """A constant for SQLite: SQL text where JSON cannot carry it, else the value to bind.

    Parameters:
        value: as Django hands it to the driver.

    Returns:
        ``(sql, None)`` or ``(None, value)``.

    Errors:
        PlanError: the value has no SQLite form.
    """
    if value is None or isinstance(value, str):
        return None, value
    if isinstance(value, bool):
        return None, int(value)
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            raise PlanError(f"The constant {value} is too large for SQLite, whose integers have 64 bits.")
        return None, int(value)
    if isinstance(value, float):
        if math.isinf(value):
            return ("9e999" if value > 0 else "-9e999"), None
        return ("NULL", None) if math.isnan(value) else (None, float(value))
    if is_a(value, (bytes, bytearray, memoryview)):
        return f"X'{bytes(value).hex()}'", None
    return None, _adapted(value)


def _adapted(value: Any) -> Any:
    import sqlite3

    adapted = sqlite3.adapt(value, sqlite3.PrepareProtocol, value)
    if not isinstance(adapted, str | int | float):
        raise PlanError(f"The constant {value!r} cannot be bound on SQLite: sqlite3 has no adapter for its type.")
    return adapted
