"""PostgreSQL's JSON through psycopg 3 into responses: SQL in, :class:`RustResponseBytes` out.

The text of each row goes from libpq's buffer to Rust; psycopg's loaders, and with them ``json.loads``, are not asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, overload

from .._core import RustResponseBytes, TypeRegistry
from ..errors import ConfigurationError
from .build import Field, Selection, build_multi_field_response

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection, sql
    from psycopg.abc import Params
    from psycopg.abc import QueryNoTemplate as Query
    from psycopg.pq.abc import PGresult
    from psycopg_pool import AsyncConnectionPool, ConnectionPool

    Later = AsyncConnection[Any] | AsyncConnectionPool[Any]
    Now = Connection[Any] | ConnectionPool[Any]

__all__ = ["Repository", "execute_via_rust_pipeline"]


class _Wanted(NamedTuple):
    """What becomes of the rows."""

    field_name: str
    type_name: str | None
    select: Selection | None
    many: bool
    always_typename: bool
    registry: TypeRegistry | None

    def response(self, rows: Sequence[bytes | None]) -> RustResponseBytes:
        if self.many:
            found: Sequence[bytes | None] | bytes | None = rows
        elif len(rows) > 1:
            raise ValueError(f'The query for "{self.field_name}" gave {len(rows)} rows, not one at most.')
        else:
            found = rows[0] if rows else None
        field = Field(self.field_name, found, self.type_name, self.select, self.many, self.always_typename)
        return RustResponseBytes(build_multi_field_response([field], registry=self.registry))


@overload
def execute_via_rust_pipeline(
    conn: Later,
    query: Query,
    params: Params | None,
    field_name: str,
    type_name: str | None = None,
    *,
    select: Selection | None = None,
    many: bool = True,
    always_typename: bool = False,
    registry: TypeRegistry | None = None,
) -> Coroutine[Any, Any, RustResponseBytes]: ...
@overload
def execute_via_rust_pipeline(
    conn: Now,
    query: Query,
    params: Params | None,
    field_name: str,
    type_name: str | None = None,
    *,
    select: Selection | None = None,
    many: bool = True,
    always_typename: bool = False,
    registry: TypeRegistry | None = None,
) -> RustResponseBytes: ...
def execute_via_rust_pipeline(
    conn: Later | Now,
    query: Query,
    params: Params | None,
    field_name: str,
    type_name: str | None = None,
    *,
    select: Selection | None = None,
    many: bool = True,
    always_typename: bool = False,
    registry: TypeRegistry | None = None,
) -> Coroutine[Any, Any, RustResponseBytes] | RustResponseBytes:
    """Runs a query whose rows are one JSON column each, and makes a response of them.

    Parameters:
        conn: a connection of psycopg 3, or a pool of psycopg_pool, which lends one; the call is awaited where that is
            asynchronous.
        query: gives one column of type ``json``, ``jsonb`` or text.
        params: of the query, as psycopg takes them.
        field_name: key in ``data``.
        type_name: type of the rows.
        select: fields to give; all without one.
        many: whether the field is a list; otherwise it is the one row, or ``null`` where there is none.
        always_typename: as for :class:`plectrum.pipeline.Field`.
        registry: types of nested fields.

    Errors:
        InvalidRowError: if a row is not JSON.
        ValueError: if the query gives other than one column, or several rows where one is wanted.
        psycopg.Error: as psycopg raises it.
    """
    return _run(conn, query, params, _Wanted(field_name, type_name, select, many, always_typename, registry))


def _run(
    conn: Later | Now, query: Query, params: Params | None, wanted: _Wanted
) -> Coroutine[Any, Any, RustResponseBytes] | RustResponseBytes:
    from psycopg import AsyncConnection, Connection

    if isinstance(conn, AsyncConnection):
        return _answer_later(conn, query, params, wanted)
    if isinstance(conn, Connection):
        return _answer(conn, query, params, wanted)
    # psycopg_pool need not be installed: whether one of its pools is asynchronous, its methods tell as well.
    pool: Any = conn
    if inspect.iscoroutinefunction(getattr(pool, "getconn", None)):
        return _lent_later(pool, query, params, wanted)
    if hasattr(pool, "getconn"):
        return _lent(pool, query, params, wanted)
    raise ConfigurationError(
        f"{type(pool).__name__} is neither a connection of psycopg 3 nor a pool of psycopg_pool. Of Django's "
        "connection, pass django.db.connection.connection."
    )


def _lent(pool: ConnectionPool[Any], query: Query, params: Params | None, wanted: _Wanted) -> RustResponseBytes:
    with pool.connection() as conn:
        return _answer(conn, query, params, wanted)


async def _lent_later(
    pool: AsyncConnectionPool[Any], query: Query, params: Params | None, wanted: _Wanted
) -> RustResponseBytes:
    async with pool.connection() as conn:
        return await _answer_later(conn, query, params, wanted)


def _answer(conn: Connection[Any], query: Query, params: Params | None, wanted: _Wanted) -> RustResponseBytes:
    with conn.cursor() as cursor:
        cursor.execute(query, params, binary=False)
        if cursor.pgresult is None:  # in pipeline mode it comes with the first fetch
            cursor.fetchone()
        return wanted.response(_texts(cursor.pgresult, conn.info.encoding))


async def _answer_later(
    conn: AsyncConnection[Any], query: Query, params: Params | None, wanted: _Wanted
) -> RustResponseBytes:
    async with conn.cursor() as cursor:
        await cursor.execute(query, params, binary=False)
        if cursor.pgresult is None:
            await cursor.fetchone()
        return wanted.response(_texts(cursor.pgresult, conn.info.encoding))


def _texts(result: PGresult | None, encoding: str) -> list[bytes | None]:
    """The text of the only column, in UTF-8."""
    columns = result.nfields if result is not None else 0
    if result is None or columns != 1:
        raise ValueError(f"The query gives {columns} columns; one column of JSON is needed, such as to_jsonb(row).")
    value = result.get_value
    texts = [value(row, 0) for row in range(result.ntuples)]
    if encoding == "utf-8":
        return texts
    return [text and text.decode(encoding).encode("utf-8") for text in texts]


C = TypeVar("C", bound="Later | Now")


class Repository(Generic[C]):
    """Views of JSON, found without a JSON parser.

    Parameters:
        connection: of psycopg 3, or a pool of psycopg_pool. With an asynchronous one, what the methods return is
            awaited.
        registry: types of nested fields; those of :func:`plectrum.pipeline.register_type` without one.
    """

    def __init__(self, connection: C, *, registry: TypeRegistry | None = None) -> None:
        self.connection = connection
        self.registry = registry

    @overload
    def find_rust(
        self: Repository[AsyncConnection[Any]] | Repository[AsyncConnectionPool[Any]],
        view: str,
        field_name: str,
        type_name: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Iterable[str] = (),
        limit: int | None = None,
        offset: int | None = None,
        column: str | None = "data",
        select: Selection | None = None,
    ) -> Coroutine[Any, Any, RustResponseBytes]: ...
    @overload
    def find_rust(
        self: Repository[Connection[Any]] | Repository[ConnectionPool[Any]],
        view: str,
        field_name: str,
        type_name: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Iterable[str] = (),
        limit: int | None = None,
        offset: int | None = None,
        column: str | None = "data",
        select: Selection | None = None,
    ) -> RustResponseBytes: ...
    def find_rust(
        self,
        view: str,
        field_name: str,
        type_name: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Iterable[str] = (),
        limit: int | None = None,
        offset: int | None = None,
        column: str | None = "data",
        select: Selection | None = None,
    ) -> Coroutine[Any, Any, RustResponseBytes] | RustResponseBytes:
        """A list of the view's rows.

        Parameters:
            view: name of a view or table, with its schema where needed (``app.v_article``).
            field_name: key in ``data``.
            type_name: type of the rows.
            where: columns and what they equal; ``None`` is NULL, a list is any of its items.
            order_by: columns, descending with a leading ``-``.
            limit: rows at most.
            offset: rows to skip.
            column: the one that holds JSON; ``None`` makes JSON of all columns.
            select: fields to give; all without one.

        Errors: as :func:`execute_via_rust_pipeline`.
        """
        query, params = _statement(view, column, where or {}, order_by, limit, offset)
        return _run(self.connection, query, params, _Wanted(field_name, type_name, select, True, False, self.registry))

    @overload
    def find_one_rust(
        self: Repository[AsyncConnection[Any]] | Repository[AsyncConnectionPool[Any]],
        view: str,
        field_name: str,
        type_name: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Iterable[str] = (),
        column: str | None = "data",
        select: Selection | None = None,
    ) -> Coroutine[Any, Any, RustResponseBytes]: ...
    @overload
    def find_one_rust(
        self: Repository[Connection[Any]] | Repository[ConnectionPool[Any]],
        view: str,
        field_name: str,
        type_name: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Iterable[str] = (),
        column: str | None = "data",
        select: Selection | None = None,
    ) -> RustResponseBytes: ...
    def find_one_rust(
        self,
        view: str,
        field_name: str,
        type_name: str | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Iterable[str] = (),
        column: str | None = "data",
        select: Selection | None = None,
    ) -> Coroutine[Any, Any, RustResponseBytes] | RustResponseBytes:
        """The first of the view's rows, or ``null``. Parameters: as :meth:`find_rust`."""
        query, params = _statement(view, column, where or {}, order_by, 1, None)
        return _run(self.connection, query, params, _Wanted(field_name, type_name, select, False, False, self.registry))


def _statement(
    view: str,
    column: str | None,
    where: Mapping[str, Any],
    order_by: Iterable[str],
    limit: int | None,
    offset: int | None,
) -> tuple[sql.Composed, list[Any]]:
    """The query and its parameters; names are quoted, values are never part of it."""
    from psycopg import sql

    if not all(view.split(".")):
        raise ConfigurationError(f"{view!r} is not the name of a view.")
    what = sql.SQL("to_json(v)") if column is None else sql.Identifier("v", column)
    parts: list[sql.Composable] = [sql.SQL("SELECT {} FROM {} AS v").format(what, sql.Identifier(*view.split(".")))]
    params: list[Any] = []
    conditions = [_condition(name, value, params) for name, value in where.items()]
    if conditions:
        parts.append(sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions))
    orders = [_order(name) for name in order_by]
    if orders:
        parts.append(sql.SQL(" ORDER BY ") + sql.SQL(", ").join(orders))
    if limit is not None:
        parts.append(sql.SQL(" LIMIT %s"))
        params.append(limit)
    if offset is not None:
        parts.append(sql.SQL(" OFFSET %s"))
        params.append(offset)
    return sql.Composed(parts), params


def _condition(name: str, value: Any, params: list[Any]) -> sql.Composed:
    from psycopg import sql

    column = sql.Identifier("v", name)
    if value is None:
        return sql.SQL("{} IS NULL").format(column)
    # Another sequence would be a record to psycopg, a tuple, or nothing it knows, a set.
    several = isinstance(value, (list, tuple, set, frozenset))
    params.append([*value] if several else value)
    return (sql.SQL("{} = ANY(%s)") if several else sql.SQL("{} = %s")).format(column)


def _order(name: str) -> sql.Composed:
    from psycopg import sql

    form = sql.SQL("{} DESC") if name.startswith("-") else sql.SQL("{}")
    return form.format(sql.Identifier("v", name.removeprefix("-")))
