"""Runs an operation through Django's own connection and hands its rows to Rust, which writes the same bytes from them.

For transactions (``atomic``, ``ATOMIC_REQUESTS``, ``TestCase``), engines Rust does not speak, in-memory SQLite and
columns that only Python can read. The statements are Django's, so ``connection.queries`` and ``assertNumQueries`` see
them.

What Rust gets for each query is a :class:`RowSet`. A cell is ``None`` or, by the column's kind:

=============  ====================================================================================
kind           Python value
=============  ====================================================================================
bool int       ``bool``, ``int``
float decimal  ``float``, ``decimal.Decimal``
text ip file   ``str``
uuid           ``uuid.UUID``
date time      ``datetime.date``, ``datetime.time``
datetime       ``datetime.datetime``, aware where the kind says so
duration       ``datetime.timedelta``
bytes          ``bytes``
json           ``str``: JSON text, to be copied
array          ``list`` of cells
hstore         ``dict[str, str | None]``
range          ``str``: what ``value_to_string()`` makes of it
=============  ====================================================================================
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.db import connections

from plectrum.errors import ValidationError

from .fields import Kind
from .internal import is_a
from .plan import Child, Column, Operation, Plan

__all__ = ["ChildRows", "RowSet", "batches", "by_level", "execute", "refuse_arguments"]

_Cell = Callable[[Any], Any]
_Cells = Callable[[Iterable[Any]], Iterable[Any]]


class ChildRows(NamedTuple):
    """The rows of a relation, for all parents together.

    Parameters:
        rowset: the rows.
        groups: for each of the parent's rows, which of them are its own, in order.
    """

    rowset: RowSet
    groups: list[list[int]]


class RowSet(NamedTuple):
    """The rows of a statement.

    Parameters:
        rows: one tuple of cells each.
        children: one entry per child plan, in the plan's order.
    """

    rows: list[tuple[Any, ...]]
    children: list[ChildRows]


def execute(operation: Operation, arguments: Sequence[Any] = ()) -> list[RowSet]:
    """Run every statement of an operation.

    Parameters:
        operation: what to run.
        arguments: values by argument number.

    Returns:
        One row set per query, in order.

    Errors:
        ValidationError: an argument makes a slice negative.
        django.db.Error: as the database says.
    """
    refuse_arguments(operation, arguments)
    return [_rowset(query, _fetched(query, arguments, ()), arguments) for query in operation.queries]


def batches(plan: Plan, size: int) -> Generator[RowSet]:
    """Run one query without arguments, batch by batch: a cursor on the server, where the engine has one.

    Parameters:
        plan: what to run.
        size: rows of a batch.

    Returns:
        One row set per batch, with the relations of its rows.

    Errors:
        django.db.Error: as the database says.
    """
    sql, parameters = plan.statement.for_django((), ())
    with connections[plan.statement.using].chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while raw := cursor.fetchmany(size):
            yield _rowset(plan, list(raw), ())


def by_level(rowset: RowSet) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of a statement, of its children, of theirs: level after level, as the compiled operation counts them."""
    level = [rowset]
    while level:
        yield from (found.rows for found in level)
        level = [child.rowset for found in level for child in found.children]


def refuse_arguments(operation: Operation, arguments: Sequence[Any]) -> None:
    """Refuse arguments that the operation's checks do not allow.

    Errors:
        ValidationError: 422, naming the arguments.
    """
    for check in operation.checks:
        if not check.holds(arguments):
            names = sorted(check.arguments, key=check.arguments.__getitem__)
            message = f"The {check.what} must not be negative."
            raise ValidationError([{"loc": ["query", name], "type": "slice", "msg": message} for name in names])


def _fetched(plan: Plan, arguments: Sequence[Any], keys: Sequence[Any]) -> list[Sequence[Any]]:
    """Rows as the driver gives them."""
    sql, parameters = plan.statement.for_django(arguments, keys)
    with connections[plan.statement.using].cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _rowset(plan: Plan, raw: list[Sequence[Any]], arguments: Sequence[Any]) -> RowSet:
    return RowSet(_cells(plan, raw), [_children(child, raw, arguments) for child in plan.children])


def _cells(plan: Plan, raw: list[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The rows as Rust takes them. Column by column, as most columns are left as they are."""
    connection = connections[plan.statement.using]
    readers = [_reader(column, connection) for column in plan.columns]
    if not raw or not any(readers):
        return [tuple(row) for row in raw]
    columns = [
        cells if read is None else read(cells) for read, cells in zip(readers, zip(*raw, strict=True), strict=True)
    ]
    return list(zip(*columns, strict=True))


def _children(child: Child, parents: list[Sequence[Any]], arguments: Sequence[Any]) -> ChildRows:
    """The relation's rows, grouped by the parent's key as the database gave it."""
    keys = [row[child.parent_column] for row in parents]
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    raw = _fetched(child.plan, arguments, distinct) if distinct else []
    groups: dict[Any, list[int]] = {}
    for index, row in enumerate(raw):
        groups.setdefault(row[child.key_column], []).append(index)
    return ChildRows(_rowset(child.plan, raw, arguments), [groups.get(key, []) for key in keys])


def _reader(column: Column, connection: Any) -> _Cells | None:
    """What makes cells of the driver's values; ``None`` where nothing has to."""
    finish = _finish(column)
    converters = () if _is_json(column) else column.converters
    if finish is None and not converters:
        return None

    def read(values: Iterable[Any]) -> Iterable[Any]:
        for convert in converters:
            values = [convert(value, column.expression, connection) for value in values]
        return values if finish is None else [finish(value) for value in values]

    return read


def _is_json(column: Column) -> bool:
    """Whether Django's converter would parse text that Rust copies."""
    return column.custom is None and "json" in (column.kind["kind"], column.kind.get("item", {}).get("kind"))


def _finish(column: Column) -> _Cell | None:
    """What becomes of a converted value; ``None`` where it stays."""
    if column.custom is not None:
        return column.custom.render
    if _is_json(column):
        return None
    kind = column.kind["kind"]
    return _FINISH.get(kind) or (_array_finish(column.kind) if kind == "array" else None)


def _bytes(value: Any) -> Any:
    return None if value is None else bytes(value)


def _range(value: Any) -> Any:
    if value is None:
        return None
    if value.isempty:
        return json.dumps({"empty": True})
    return json.dumps({"bounds": value._bounds, "lower": _bound(value.lower), "upper": _bound(value.upper)})


def _bound(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _array_finish(kind: Kind) -> _Cell | None:
    finish = _FINISH.get(kind["item"]["kind"])
    if finish is None:
        return None

    def items(value: Any) -> Any:
        return [items(item) for item in value] if is_a(value, list) else finish(value)

    return items


_FINISH: Final[dict[str, _Cell]] = {"bytes": _bytes, "range": _range}
