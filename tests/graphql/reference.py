"""The same schema executed by graphql-core, with resolvers that ask Django field by field.

Rows and relations are read once, by Django; what a filter lets pass is asked for each time.
"""

from __future__ import annotations

import datetime
import decimal
import functools
from collections.abc import Callable
from typing import Any

from django.db.models import F, Q
from graphql import GraphQLObjectType, build_schema, graphql_sync

from plectrum.graphql import GraphQL
from tests.zoo import models as zoo

__all__ = ["errors_of", "execute", "reference"]

#: Type → model, and its relations: field → (attribute, target, many).
TYPES: dict[str, tuple[Any, dict[str, tuple[str, str, bool]]]] = {
    "Book": (
        zoo.Book,
        {
            "author": ("author", "Author", False),
            "editor": ("editor", "Author", False),
            "publisher": ("publisher", "Publisher", False),
            "sequelTo": ("sequel_to", "Book", False),
            "sequels": ("sequels", "Book", True),
            "labels": ("labels", "Label", True),
        },
    ),
    "Author": (zoo.Author, {"books": ("books", "Book", True), "edited": ("edited", "Book", True)}),
    "Publisher": (zoo.Publisher, {"books": ("books", "Book", True)}),
    "Label": (zoo.Label, {"books": ("books", "Book", True)}),
}
ROOTS = {"books": "Book", "authors": "Author", "publishers": "Publisher", "labels": "Label"}
COLUMNS = {"printedOn": "printed_on", "bornAt": "born_at", "authorId": "author_id", "editorId": "editor_id",
           "publisherId": "publisher_id", "id": "pk"}  # fmt: skip
LOOKUPS = {
    **{name: name for name in ("lt", "lte", "gt", "gte", "in", "contains", "icontains")},
    "eq": "exact",
    "startsWith": "startswith",
    "endsWith": "endswith",
    "isNull": "isnull",
}
MOST, DEFAULT = 1000, 100


def reference(graph: GraphQL) -> Any:
    """The schema of a graph, as graphql-core executes it."""
    for cached in (_rows, _related, _keys):
        cached.cache_clear()
    schema: Any = build_schema(graph.sdl)
    for name, (model, relations) in TYPES.items():
        kind: GraphQLObjectType = schema.type_map[name]
        for field, definition in kind.fields.items():
            related = field.removesuffix("Connection").removesuffix("Aggregate")
            if related not in relations:
                definition.resolve = _column(model, field)
                continue
            _, target, many = relations[related]
            form = _connection if field.endswith("Connection") else _aggregate if field.endswith("Aggregate") else _list
            rows = functools.partial(_related_rows, name, related)
            definition.resolve = form(target, rows) if many else _one(rows)
    for root, target in ROOTS.items():
        fields, rows = schema.query_type.fields, functools.partial(_all_rows, target)
        fields[root].resolve = _list(target, rows)
        fields[f"{root}Connection"].resolve = _connection(target, rows)
        fields[f"{root}Aggregate"].resolve = _aggregate(target, rows)
        fields[root[:-1]].resolve = _single(target)
    return schema


def execute(schema: Any, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Data, and the errors as :func:`errors_of` has them."""
    result = graphql_sync(schema, text, variable_values=variables)
    return {"data": result.data, "errors": errors_of({"errors": [error.formatted for error in result.errors or ()]})}


def errors_of(answer: dict[str, Any]) -> list[Any]:
    """The path and the places of each error of a response; that the request is refused, whatever for."""
    errors = answer.get("errors", ())
    if any("path" not in error for error in errors):
        return ["refused"]
    return [
        (error["path"], [(place["line"], place["column"]) for place in error.get("locations", ())]) for error in errors
    ]


def _column(model: Any, field: str) -> Callable[..., Any]:
    is_id = field == "id" or field.endswith("Id")

    def resolve(row: Any, _info: Any) -> Any:
        value = getattr(row, COLUMNS.get(field, field))
        if value is None or not is_id:
            return _written(value)
        return str(value)

    return resolve


def _written(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return f"{value:.2f}"
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, datetime.date) else value


# ── Rows ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def _rows(target: str) -> dict[Any, Any]:
    """Rows by key, in the model's order, else by key."""
    model = TYPES[target][0]
    rows = model.objects.all() if model._meta.ordering else model.objects.order_by("pk")
    return {row.pk: row for row in rows}


@functools.cache
def _related(name: str, field: str) -> dict[Any, list[Any]]:
    """Keys of related rows by key, in the order of Django's manager."""
    attribute, target, many = TYPES[name][1][field]
    if not many:
        return {key: [row] if (row := getattr(one, f"{attribute}_id")) else [] for key, one in _rows(name).items()}
    ordered = bool(TYPES[target][0]._meta.ordering)
    return {
        key: [row.pk for row in (getattr(one, attribute).all() if ordered else getattr(one, attribute).order_by("pk"))]
        for key, one in _rows(name).items()
    }


def _all_rows(target: str, _parent: Any) -> list[Any]:
    return list(_rows(target).values())


def _related_rows(name: str, field: str, parent: Any) -> list[Any]:
    rows = _rows(TYPES[name][1][field][1])
    return [rows[key] for key in _related(name, field)[parent.pk]]


#: Gives the rows of a field, before any filter.
Rows = Callable[[Any], list[Any]]


def _one(rows: Rows) -> Callable[..., Any]:
    return lambda row, _info: next(iter(rows(row)), None)


def _single(target: str) -> Callable[..., Any]:
    def resolve(_root: Any, _info: Any, id: str) -> Any:
        return _rows(target).get(TYPES[target][0]._meta.pk.to_python(id))

    return resolve


def _list(target: str, rows: Rows) -> Callable[..., Any]:
    def resolve(parent: Any, _info: Any, **arguments: Any) -> Any:
        found = _found(target, rows(parent), arguments)
        start, limit = arguments.get("offset") or 0, arguments.get("limit")
        if start < 0 or (limit is not None and not 0 <= limit <= MOST):
            raise ValueError("a slice that cannot be")
        return found[start:] if limit is None else found[start : start + limit]

    return resolve


def _connection(target: str, rows: Rows) -> Callable[..., Any]:
    """Pages from either end; cursors are compared elsewhere."""

    def resolve(parent: Any, _info: Any, **arguments: Any) -> Any:
        first, last = arguments.get("first"), arguments.get("last")
        if first is not None and last is not None:
            raise ValueError("first and last")
        size = next((given for given in (first, last) if given is not None), DEFAULT)
        if not 0 <= size <= MOST:
            raise ValueError("a page that cannot be")
        found = _found(target, rows(parent), arguments)
        page = found[len(found) - min(size, len(found)) :] if last is not None else found[:size]
        more = len(found) > size
        info = {"hasNextPage": more and last is None, "hasPreviousPage": more and last is not None}
        return {"totalCount": len(found), "edges": [{"node": row} for row in page], "pageInfo": info}

    return resolve


def _aggregate(target: str, rows: Rows) -> Callable[..., Any]:
    return lambda parent, _info, **arguments: {"count": len(_found(target, rows(parent), arguments))}


def _found(target: str, rows: list[Any], arguments: dict[str, Any]) -> list[Any]:
    """Rows that a filter lets pass, in the order that was asked for."""
    keys = set(_keys(target, _condition(target, arguments.get("filter"))))
    order = [_direction(name, part) for item in arguments.get("orderBy") or () for name, part in item.items() if part]
    if order:
        rank = {key: at for at, key in enumerate(_ordered(target, order))}
        rows = sorted(rows, key=lambda row: rank[row.pk])
    return [row for row in rows if row.pk in keys]


def _ordered(target: str, order: list[Any]) -> Any:
    return TYPES[target][0].objects.order_by(*order, "pk").values_list("pk", flat=True)


# ── Filters and order ──────────────────────────────────────────────────────────────────────────────────────────────


def _direction(name: str, order: str) -> Any:
    column = F(COLUMNS.get(name, name))
    return column.desc() if order == "DESC" else column.asc()


def _condition(target: str, shape: dict[str, Any] | None) -> Q:
    found = Q()
    for name, part in (shape or {}).items():
        if part is None:
            continue
        if name == "and":
            for item in part:
                found &= _condition(target, item)
        elif name == "or":
            found &= Q(pk__in={key for item in part for key in _keys(target, _condition(target, item))})
        elif name == "not":
            found &= ~Q(pk__in=_keys(target, _condition(target, part)))
        elif name in TYPES[target][1]:
            found &= _by_relation(target, name, part)
        else:
            found &= _by_column(name, part)
    return found


def _by_column(name: str, part: dict[str, Any]) -> Q:
    found, column = Q(), COLUMNS.get(name, name)
    for operator, value in part.items():
        if operator == "ne":
            found &= ~Q(**{column: value}) if value is not None else Q(**{f"{column}__isnull": False})
        elif operator == "notIn":
            found &= ~Q(**{f"{column}__in": value})
        elif operator == "eq" and value is None:
            found &= Q(**{f"{column}__isnull": True})
        elif value is not None:
            found &= Q(**{f"{column}__{LOOKUPS[operator]}": value})
    return found


def _by_relation(target: str, name: str, part: dict[str, Any]) -> Q:
    attribute, other, many = TYPES[target][1][name]
    if not many:
        return Q(**{f"{attribute}__in": _keys(other, _condition(other, part))})
    found = Q()
    for word, inner in part.items():
        if inner is None:
            continue
        keys = set(_keys(other, _condition(other, inner)))
        related = _related(target, name)
        found &= Q(pk__in=[key for key, own in related.items() if _holds(word, set(own), keys)])
    return found


def _holds(word: str, own: set[Any], keys: set[Any]) -> bool:
    return {"some": bool(own & keys), "none": not own & keys, "every": own <= keys}[word]


@functools.cache
def _keys(target: str, condition: Q) -> list[Any]:
    return list(TYPES[target][0].objects.filter(condition).values_list("pk", flat=True))
