"""A plan's rows as Django's driver holds them: no Python object is made of a value, and Django converts none.

The statements are those of the plan, on Django's cursor, so that transactions, ``connection.queries`` and wrappers see
what they always see. PostgreSQL's values are read out of libpq's result, of which psycopg makes objects only when it is
asked for rows. ``sqlite3`` makes objects by itself, and by a column's declared type calls Django's parsers; ``+column``
has the same value and no declared type.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import re
import sys
import uuid
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from django.db import connections

from .. import _core
from ..orm.plan import Column, Operation, Plan
from ..orm.sql import Statement
from .values import class_of

__all__ = ["Readable", "readable"]

_Given: TypeAlias = "Iterable[tuple[Any, ...]] | tuple[_core.Libpq, Any]"
_Reader = Callable[[Any, Plan, Any], "_Rows | None"]


@dataclasses.dataclass(frozen=True)
class _Rows:
    """A statement's rows.

    Parameters:
        given: as Rust takes them.
        keys: a column's distinct values, as parameters.
    """

    given: _Given
    keys: Callable[[int], list[Any]]


@dataclasses.dataclass(frozen=True)
class Readable:
    """An operation whose columns are known well enough to be read before Django converts them.

    Parameters:
        operation: the operation; its statements may differ from the one it was made of.
        compiled: its compiled form.
        read: reads the result of a cursor.
    """

    operation: Operation
    compiled: _core.Operation
    read: _Reader

    def write(self, arguments: Sequence[Any], zone: str) -> tuple[bytes, int] | None:
        """Execute it, and write what its rows become.

        Parameters:
            arguments: the execution's arguments.
            zone: IANA name of the zone aware datetimes are shown in.

        Returns:
            JSON, and the number of rows; ``None`` where the driver or the server is not as Django leaves them.

        Errors:
            ValueError: a value is not plainly of its column's type.
            django.db.Error: as the database says.
        """
        connection: Any = connections[self.operation.using]
        fetched: list[tuple[_Given, Sequence[int | None]]] = []
        with contextlib.ExitStack() as open_cursors:
            for query in self.operation.queries:
                for plan, rows in self._levels(query, arguments, connection, open_cursors):
                    if rows is None:
                        return None
                    fetched.append((rows.given, [_digits(column) for column in plan.columns]))
            with _text_as_stored(connection):
                return self.compiled.write_given(fetched, arguments, zone, connection.timezone_name)

    def _levels(
        self, top: Plan, arguments: Sequence[Any], connection: Any, open_cursors: contextlib.ExitStack
    ) -> Iterator[tuple[Plan, _Rows | None]]:
        """The rows of a statement, of its children, of theirs: level after level, as the compiled operation counts."""
        level: list[tuple[Plan, Sequence[Any]]] = [(top, ())]
        while level:
            below: list[tuple[Plan, Sequence[Any]]] = []
            for plan, keys in level:
                rows: _Rows | None = _NOTHING
                if plan is top or keys:
                    cursor = open_cursors.enter_context(connection.cursor())
                    rows = self._execute(cursor, plan, plan.statement.for_django(arguments, keys), connection)
                yield plan, rows
                if rows is not None:
                    below += [(child.plan, rows.keys(child.parent_column)) for child in plan.children]
            level = below

    def _execute(self, cursor: Any, plan: Plan, statement: tuple[str, list[Any]], connection: Any) -> _Rows | None:
        most: int | None = connection.features.max_query_params
        if not _is_djangos(class_of(cursor.cursor)) or (most is not None and len(statement[1]) > most):
            return None
        cursor.execute(*statement)
        return self.read(cursor, plan, connection)


_NOTHING = _Rows([], lambda _column: [])
_known: weakref.WeakKeyDictionary[Operation, Readable | None] = weakref.WeakKeyDictionary()


def readable(operation: Operation) -> Readable | None:
    """How an operation is read from Django's driver; ``None`` where only Django's converters tell. The same every time.

    Parameters:
        operation: what is to be executed.
    """
    if operation not in _known:
        _known[operation] = _readable(operation)
    return _known[operation]


def _readable(operation: Operation) -> Readable | None:
    connection: Any = connections[operation.using]
    if not _is_djangos(class_of(connection)):
        return None
    queries: Sequence[Plan | None] = operation.queries
    if not all(_is_known(query) for query in operation.queries):
        return None
    if connection.vendor == "postgresql" and _libpq() is not None:
        read: _Reader = _read_postgres
    elif connection.vendor == "sqlite":
        read = _read_sqlite
        queries = [_undeclared(query) for query in operation.queries]
    else:
        return None
    plans = tuple(query for query in queries if query is not None)
    if len(plans) < len(queries):
        return None
    made = dataclasses.replace(operation, queries=plans, backend="django")
    return Readable(made, _core.Operation(made.to_json()), read)


def _is_known(plan: Plan) -> bool:
    """Whether every column's values can be read, and every key be a parameter."""
    if not all(map(_is_column_known, plan.columns)):
        return False
    return all(
        plan.columns[child.parent_column].kind["kind"] in _KEYS and _is_known(child.plan) for child in plan.children
    )


def _is_column_known(column: Column) -> bool:
    kind = column.kind
    if kind["kind"] not in _LOADERS or column.custom is not None:
        return False
    if kind["kind"] == "decimal" and not (kind.get("string") and kind.get("places") is not None and _digits(column)):
        return False
    return all(getattr(convert, "__module__", "").startswith("django.") for convert in column.converters)


def _digits(column: Column) -> int | None:
    digits: int | None = getattr(getattr(column.expression, "output_field", None), "max_digits", None)
    return digits


def _is_djangos(kind: Any) -> bool:
    return str(kind.__module__).startswith(("django.db.backends.", "django.contrib.gis."))


# SQLite

_COLUMN = re.compile(r'"?\w+"?\."\w+"(?: AS "\w+")?')
# Positions and groups refer to what is selected, where `+` would take a collation away.
_REFERRING = re.compile(r"\bGROUP BY\b|\bBY \d|, \d+ (?:ASC|DESC)\b")


def _undeclared(plan: Plan) -> Plan | None:
    """The plan with each column selected without its declared type; ``None`` where that might change its rows."""
    first, *rest = plan.statement.pieces or ("",)
    if not isinstance(first, str) or any(
        isinstance(piece, str) and _REFERRING.search(piece) for piece in (first, *rest)
    ):
        return None
    start, end = len("SELECT "), first.find(" FROM ")
    selected = first[start:end].split(", ")
    if not first.startswith("SELECT ") or end < 0 or not all(map(_COLUMN.fullmatch, selected)):
        return None
    statement = Statement((f"SELECT +{', +'.join(selected)}{first[end:]}", *rest), plan.statement.using)
    children = [(child, _undeclared(child.plan)) for child in plan.children]
    below = tuple(dataclasses.replace(child, plan=made) for child, made in children if made is not None)
    return dataclasses.replace(plan, statement=statement, children=below) if len(below) == len(children) else None


def _read_sqlite(cursor: Any, plan: Plan, connection: Any) -> _Rows:
    if not plan.children:
        return _Rows(cursor.cursor, lambda _column: [])
    with _text_as_stored(connection):
        rows: list[tuple[Any, ...]] = list(cursor.fetchall())

    def keys(column: int) -> list[Any]:
        values = (row[column] for row in rows)
        texts = (value.decode() if isinstance(value, bytearray) else value for value in values)
        return list(dict.fromkeys(value for value in texts if value is not None))

    return _Rows(rows, keys)


@contextlib.contextmanager
def _text_as_stored(connection: Any) -> Generator[None]:
    """SQLite's text comes in UTF-8, as it goes out; in arrays, so that it is not taken for a blob.

    For reading only: Django's debug cursor and execution wrappers ask the same connection for texts of their own.
    """
    inner = connection.connection
    if getattr(inner, "text_factory", None) is not str or connection.allow_thread_sharing:
        yield
        return
    inner.text_factory = bytearray
    try:
        yield
    finally:
        inner.text_factory = str


# PostgreSQL

#: Kind → type OIDs, and the loader psycopg has for each as Django sets it up; another would make other values.
_LOADERS: dict[str, dict[int, str]] = {
    "bool": {16: "BoolLoader"},
    "int": dict.fromkeys((20, 21, 23), "IntLoader"),
    "float": {701: "FloatLoader"},
    "decimal": {1700: "NumericLoader"},
    "text": dict.fromkeys((25, 1042, 1043), "TextLoader"),
    "uuid": {2950: "UUIDLoader"},
    "date": {1082: "DateLoader"},
    "time": {1083: "TimeLoader"},
    "datetime": {1114: "TimestampLoader", 1184: "SpecificTzLoader"},
    "duration": {1186: "IntervalLoader"},
    "json": {3802: "TextLoader"},
}
_TIMESTAMP_TZ = 1184


@functools.cache
def _libpq() -> _core.Libpq | None:
    """The functions that read psycopg's results; ``None`` where its library does not show them."""
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        from psycopg import pq

        library: Any = _library(pq)
        names = ("PQntuples", "PQnfields", "PQgetisnull", "PQgetlength", "PQgetvalue")
        if library.PQlibVersion() == pq.version():
            return _core.Libpq([ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names])
    return None


def _library(pq: Any) -> Any:
    module = sys.modules[pq.PGresult.__module__]
    if pq.__impl__ == "python":
        from psycopg.pq import _pq_ctypes

        return vars(_pq_ctypes)["pq"]
    # A compiled extension: what it is linked to is found through it.
    return ctypes.CDLL(str(module.__file__))


def _read_postgres(cursor: Any, plan: Plan, connection: Any) -> _Rows | None:
    result = cursor.cursor.pgresult
    libpq = _libpq()
    if result is None or libpq is None or result.nfields != len(plan.columns):
        return None
    if connection.connection.pgconn.parameter_status(b"client_encoding") != b"UTF8":
        return None
    adapters = cursor.cursor.adapters
    for index, column in enumerate(plan.columns):
        if result.fformat(index) != 0 or not _is_loaded_as_usual(column, result.ftype(index), adapters, connection):
            return None

    def keys(column: int) -> list[Any]:
        read = _KEYS[plan.columns[column].kind["kind"]]
        values = dict.fromkeys(result.get_value(row, column) for row in range(result.ntuples))
        return [read(value.decode()) for value in values if value is not None]

    return _Rows((libpq, result), keys)


def _is_loaded_as_usual(column: Column, oid: int, adapters: Any, connection: Any) -> bool:
    name = _LOADERS[column.kind["kind"]].get(oid)
    loader = adapters.get_loader(oid, 0)
    if name is None or loader is None or loader.__name__ != name:
        return False
    if not str(loader.__module__).startswith(("psycopg.", "psycopg_", "django.db.")):
        return False
    if column.kind["kind"] != "datetime":
        return True
    aware: bool = column.kind["aware"]
    if oid != _TIMESTAMP_TZ:
        return not aware
    # Django takes the session's wall clock for one of its own zone.
    session = connection.connection.pgconn.parameter_status(b"TimeZone")
    return (loader.timezone is not None) is aware and session == connection.timezone_name.encode()


_KEYS: dict[str, Callable[[str], Any]] = {"int": int, "text": str, "uuid": uuid.UUID}
