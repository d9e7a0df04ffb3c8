"""A queryset through Django's compiler: SQL, parameters and what is selected, without executing it."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import EmptyResultSet, FieldError
from django.db import DatabaseError, connections
from django.db.models import QuerySet
from django.db.models.sql.query import Query

from plectrum.errors import PlanError

from .internal import attributes_of
from .output import column_of, needs_python
from .plan import Column
from .sql import Statement

__all__ = ["Compiled", "compile_aggregate", "compile_count", "compile_estimate", "compile_exists", "compile_query"]

_TRACE_ALIAS: Final = "plectrum: trace"
_NATIVE: Final = ("postgresql", "sqlite")


@dataclass(frozen=True)
class Compiled:
    """A compiled query.

    Parameters:
        statement: its SQL.
        columns: its result columns.
        compiler: Django's, after ``as_sql()``.
        reason: why it has to run on Django's connection.
    """

    statement: Statement
    columns: tuple[Column, ...]
    compiler: Any
    reason: str | None


def compile_query(
    query: Query, using: str, *, coerce_decimal: bool = True, elide_empty: bool = True
) -> Compiled | None:
    """Compile a query; ``None`` where Django knows that it has no rows.

    Parameters:
        query: with its parameters fitted.
        using: database alias.
        coerce_decimal: write decimals as strings.
        elide_empty: without, a query known to have no rows is compiled all the same.

    Errors:
        PlanError: a selected expression has no known type, or the database cannot run the query.
    """
    return _compiled(query.get_compiler(using=using, elide_empty=elide_empty), using, coerce_decimal)


def compile_exists(queryset: QuerySet[Any], using: str) -> Compiled | None:
    """Whether the queryset has rows: one boolean; ``None`` where Django knows that it has none."""
    inner = _compiled(queryset.query.exists(limit=False).get_compiler(using=using), using, True)
    if inner is None:
        return None
    end = ") THEN 1 ELSE 0 END FROM DUAL" if connections[using].vendor == "oracle" else ")"
    start = "SELECT CASE WHEN EXISTS(" if connections[using].vendor == "oracle" else "SELECT EXISTS("
    statement = Statement((start, *inner.statement.pieces, end), using)
    return Compiled(statement, (Column({"kind": "bool"}),), inner.compiler, inner.reason)


def compile_count(queryset: QuerySet[Any], using: str) -> Compiled | None:
    """The number of the queryset's rows, counted as Django would; ``None`` where Django knows that there are none."""
    return _captured(lambda alias: queryset.query.get_count(using=alias), using)


def compile_estimate(queryset: QuerySet[Any], using: str) -> Compiled | None:
    """How many rows PostgreSQL believes a table to have; ``None`` where that is not what is asked.

    It keeps the number at ``VACUUM``, ``ANALYZE`` and when it makes an index; before the first of them, rows are
    counted.

    Source: PostgreSQL, ``pg_class.reltuples``.
    """
    query = queryset.query
    narrowed = query.where or query.distinct or query.combinator or query.group_by is not None or query.is_sliced
    if narrowed or query.extra_tables or connections[using].vendor != "postgresql":
        return None
    table = connections[using].ops.quote_name(queryset.model._meta.db_table)
    name = table.replace("'", "''")
    sql = (
        f"SELECT CASE WHEN reltuples < 0 THEN (SELECT COUNT(*) FROM {table}) ELSE reltuples::bigint END "  # noqa: S608
        f"FROM pg_class WHERE oid = '{name}'::regclass"
    )
    return Compiled(Statement((sql,), using), (Column({"kind": "int"}),), None, None)


def compile_aggregate(queryset: QuerySet[Any], expressions: dict[str, Any], using: str) -> Compiled | None:
    """Aggregates over all of the queryset's rows, in one row; ``None`` where Django knows that there are none.

    Parameters:
        queryset: of model instances.
        expressions: name → aggregate; columns are in their order.
        using: database alias.
    """
    query: Any = queryset.query.chain()
    return _captured(lambda alias: query.get_aggregation(alias, expressions), using)


def _captured(ask: Callable[[str], Any], using: str) -> Compiled | None:
    """The query that Django would execute for ``ask``, compiled."""
    connection: Any = copy.copy(connections[using])
    connection.ops = copy.copy(connection.ops)
    original = connection.ops.compiler
    connection.ops.compiler = _CapturingCompilers(original)
    connections[_TRACE_ALIAS] = connection
    try:
        ask(_TRACE_ALIAS)
    except _CapturedError as captured:
        return _compiled(captured.compiler, using, True)
    finally:
        del connections[_TRACE_ALIAS]
    return None


class _CapturedError(Exception):
    def __init__(self, compiler: Any) -> None:
        self.compiler = compiler


@dataclass(frozen=True)
class _CapturingCompilers:
    original: Callable[[str], type]

    def __call__(self, name: str) -> type:
        return _capturing(self.original(name))


@functools.cache
def _capturing(compiler_class: type) -> type:
    def execute_sql(self: Any, *_args: Any, **_options: Any) -> Any:
        raise _CapturedError(self)

    return type(compiler_class.__name__, (compiler_class,), {"execute_sql": execute_sql})


def _compiled(compiler: Any, using: str, coerce_decimal: bool) -> Compiled | None:
    query = compiler.query
    if query.select_for_update and compiler.connection.features.has_select_for_update:
        raise PlanError(
            "select_for_update() locks rows for a transaction, and a response is written outside of one. Lock in an "
            "`async def` handler, in a function run by sync_to_async under transaction.atomic()."
        )
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return None
    except (TypeError, ValueError, NotImplementedError, FieldError, DatabaseError) as error:
        why = str(error).replace("not Slot", "not a parameter")
        raise PlanError(f"Django cannot compile the query for {connections[using].display_name}: {why}") from error
    expressions = [expression for expression, _, _ in _select(compiler)]
    columns = tuple(
        column for expression in expressions for column in column_of(expression, using, coerce_decimal=coerce_decimal)
    )
    reason = _reason(sql, expressions, columns, using)
    return Compiled(Statement.of(sql, params, using), columns, compiler, reason)


def _select(compiler: Any) -> list[Any]:
    """Everything the SQL selects: Django adds columns it orders a DISTINCT by."""
    if compiler.select is None:  # an aggregate over a subquery
        return [(expression, None, None) for expression in compiler.query.annotation_select.values()]
    if not getattr(compiler, "has_extra_select", False):
        return list(compiler.select)
    extra_select, _, _ = compiler.pre_sql_setup()
    return [*compiler.select, *extra_select]


def _reason(sql: str, expressions: list[Any], columns: tuple[Column, ...], using: str) -> str | None:
    vendor = connections[using].vendor
    if vendor not in _NATIVE:
        return f"Rust does not speak {connections[using].display_name}"
    for expression, column in zip(expressions, columns, strict=False):
        if column.custom is not None:
            return f"{_named(expression)} is rendered in Python"
    for expression in expressions:
        if reason := needs_python(expression):
            return reason
    if vendor == "sqlite" and (function := _python_function(sql)):
        return f"{function} is a function Django adds to its own SQLite connections"
    return None


def _named(expression: Any) -> str:
    target = getattr(expression, "target", None)
    return f"{target.model._meta.label}.{target.name}" if target is not None else repr(expression)


def _python_function(sql: str) -> str | None:
    match = _sqlite_functions().search(sql)
    return match[1] if match else None


@functools.cache
def _sqlite_functions() -> re.Pattern[str]:
    from django.db.backends.sqlite3 import _functions  # type: ignore[attr-defined]  # pyright: ignore

    class Registered(list[str]):
        def create_function(self, name: str, *_args: Any, **_options: Any) -> None:
            self.append(name)

        create_aggregate = create_function

        def execute(self, _sql: str) -> Registered:
            return self  # "were you compiled with mathematical functions?"

        def fetchone(self) -> list[bool]:
            return [False]

    names = Registered()
    attributes_of(_functions)["register"](names)
    return re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\b(?=\(| %s| ')", re.IGNORECASE)
