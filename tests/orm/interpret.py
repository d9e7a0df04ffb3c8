"""What Rust does with an operation, in Python: executes its native SQL and fills its templates."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import connections
from django.utils.duration import duration_string
from django.utils.encoding import filepath_to_uri

from plectrum import _core
from plectrum.orm import Operation, Plan
from plectrum.orm.adapt import adapted
from plectrum.orm.django_backend import ChildRows, RowSet, _rowset, execute


def answer(operation: Operation, arguments: Sequence[Any] = (), *, backend: str | None = None) -> Any:
    """The response body as Python values, by the operation's own backend or the one named."""
    compiled = _core.Operation(operation.to_json())
    assert len(compiled.statements) == operation.statement_count()
    if (backend or operation.backend) == "django":
        rowsets = execute(operation, arguments)
    else:
        rowsets = [_native(plan, arguments, ()) for plan in operation.queries]
    bodies = [
        [_row(row, index, plan, rowset) for index, row in enumerate(rowset.rows)]
        for plan, rowset in zip(operation.queries, rowsets, strict=True)
    ]
    return _response(operation.describe()["response"], bodies)


def _response(response: Any, bodies: list[list[Any]]) -> Any:
    (kind, body), *_ = response.items()
    match kind:
        case "rows":
            return bodies[body]
        case "one":
            assert len(bodies[body]) <= 1, "a second row"
            return bodies[body][0] if bodies[body] else "404"
        case "scalar":
            return bodies[body][0]
        case "object":
            return {key: _response(value, bodies) for key, value in body}
        case "page":
            return {"count": bodies[body["count"]][0], "results": bodies[body["results"]]}
        case "literal":
            return body
    raise AssertionError(kind)


def _native(plan: Plan, arguments: Sequence[Any], keys: Sequence[Any]) -> RowSet:
    using = plan.statement.using
    connection = connections[using]
    connection.ensure_connection()
    sql, binds = plan.statement.native()
    values = [_bound(bind, arguments, keys, connection) for bind in binds]
    if connection.vendor == "postgresql":
        from psycopg import RawCursor

        with RawCursor(connection.connection) as cursor:
            raw = list(cursor.execute(sql, values))
    else:
        raw = list(connection.connection.execute(sql, values))
    parents = _rowset(Plan(plan.statement, plan.columns, plan.row), raw, arguments)
    return RowSet(parents.rows, [_child(child, raw, arguments) for child in plan.children])


def _child(child: Any, parents: list[Any], arguments: Sequence[Any]) -> ChildRows:
    keys = [row[child.parent_column] for row in parents]
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    rowset = _native(child.plan, arguments, distinct)
    raw_keys = [row[child.key_column] for row in rowset.rows]
    groups = [[i for i, key in enumerate(raw_keys) if _same(key, parent)] for parent in keys]
    return ChildRows(rowset, groups)


def _same(left: Any, right: Any) -> bool:
    return right is not None and str(left).replace("-", "") == str(right).replace("-", "")


def _bound(bind: dict[str, Any], arguments: Sequence[Any], keys: Sequence[Any], connection: Any) -> Any:
    if "const" in bind:
        return bind["const"]
    if connection.vendor == "postgresql":
        return list(keys) if "keys" in bind else arguments[bind["arg"]]
    if "keys" in bind:
        return json.dumps(list(keys))
    value = arguments[bind["arg"]]
    if isinstance(value, list):
        return json.dumps([adapted(item, bind["type"], connection) for item in value], default=str)
    value = adapted(value, bind["type"], connection)
    return str(value) if isinstance(value, Decimal) else value


def _row(row: tuple[Any, ...], index: int, plan: Plan, rowset: RowSet) -> Any:
    def fill(template: dict[str, Any]) -> Any:
        (kind, body), *_ = template.items()
        match kind:
            case "column":
                return _cell(row[body], plan.columns[body].kind)
            case "object":
                if body.get("absent") is not None and row[body["absent"]] is None:
                    return None
                return {key: fill(value) for key, value in body["fields"]}
            case "array":
                return [fill(item) for item in body]
            case "literal":
                return body
            case "child":
                child, rows = plan.children[body], rowset.children[body]
                mine = [_row(rows.rowset.rows[i], i, child.plan, rows.rowset) for i in rows.groups[index]]
                return mine if child.many else (mine[0] if mine else None)
        raise AssertionError(kind)

    return fill(plan.row)


def _cell(value: Any, kind: dict[str, Any]) -> Any:
    write = _KINDS.get(kind["kind"])
    return value if value is None or write is None else write(value, kind)


def _decimal(value: Decimal, kind: dict[str, Any]) -> Any:
    if not kind["string"]:
        return float(value)
    places = kind.get("places")
    return f"{value:f}" if places is None else f"{value.quantize(Decimal(1).scaleb(-places)):f}"


def _datetime(value: dt.datetime, kind: dict[str, Any]) -> str:
    text = value.astimezone(dt.UTC).isoformat() if value.tzinfo else value.isoformat()
    return text.removesuffix("+00:00") + ("Z" if text.endswith("+00:00") else "")


def _array(value: list[Any], kind: dict[str, Any]) -> list[Any]:
    return [_cell(item, kind if isinstance(item, list) else kind["item"]) for item in value]


_KINDS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "decimal": _decimal,
    "uuid": lambda value, _: str(value),
    "date": lambda value, _: value.isoformat(),
    "time": lambda value, _: value.isoformat(),
    "datetime": _datetime,
    "duration": lambda value, _: duration_string(value),
    "bytes": lambda value, _: base64.b64encode(value).decode(),
    "json": lambda value, _: json.loads(value),
    "file": lambda value, kind: kind["base"] + filepath_to_uri(value).lstrip("/") if value else None,
    "array": _array,
}
