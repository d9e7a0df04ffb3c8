"""The same schema executed by graphql-core, with resolvers that ask Django row by row."""

from __future__ import annotations

import datetime
import decimal
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
MOST = 1000


def reference(graph: GraphQL) -> Any:
    """The schema of a graph, as graphql-core executes it."""
    schema: Any = build_schema(graph.sdl)
    for name, (model, relations) in TYPES.items():
        kind: GraphQLObjectType = schema.type_map[name]
        for field, definition in kind.fields.items():
            if field in relations:
                definition.resolve = _relation(*relations[field])
            else:
                definition.resolve = _column(model, field)
    for root, target in ROOTS.items():
        schema.query_type.fields[root].resolve = _many(target)
        schema.query_type.fields[f"{root}Aggregate"].resolve = _aggregate(target)
        schema.query_type.fields[root[:-1]].resolve = _single(target)
    return schema


def execute(schema: Any, text: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Data, and the path and the places of each error."""
    result = graphql_sync(schema, text, variable_values=variables)
    return {"data": result.data, "errors": [_error(error.formatted) for error in result.errors or ()]}


def errors_of(answer: dict[str, Any]) -> list[Any]:
    """The path and the places of each error of a response."""
    return [_error(error) for error in answer.get("errors", ())]


def _error(error: Any) -> Any:
    return error.get("path"), [(place["line"], place["column"]) for place in error.get("locations", ())]


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


def _relation(attribute: str, target: str, many: bool) -> Callable[..., Any]:
    def resolve(row: Any, _info: Any, **arguments: Any) -> Any:
        related = getattr(row, attribute)
        return list(_sliced(target, related.all(), arguments)) if many else related

    return resolve


def _many(target: str) -> Callable[..., Any]:
    return lambda _root, _info, **arguments: list(_sliced(target, TYPES[target][0].objects.all(), arguments))


def _single(target: str) -> Callable[..., Any]:
    return lambda _root, _info, id: TYPES[target][0].objects.filter(pk=id).first()


def _aggregate(target: str) -> Callable[..., Any]:
    def resolve(_root: Any, _info: Any, filter: Any = None) -> Any:
        return {"count": TYPES[target][0].objects.filter(_condition(target, filter)).distinct().count()}

    return resolve


def _sliced(target: str, rows: Any, arguments: dict[str, Any]) -> Any:
    keys = set(_keys(target, _condition(target, arguments.get("filter"))))
    order = [_direction(name, part) for item in arguments.get("orderBy") or () for name, part in item.items() if part]
    if order:
        rows = rows.order_by(*order, "pk")
    found = [row for row in rows if row.pk in keys]
    start, limit = arguments.get("offset") or 0, arguments.get("limit")
    if start < 0 or (limit is not None and not 0 <= limit <= MOST):
        raise ValueError("a slice that cannot be")
    return found[start:] if limit is None else found[start : start + limit]


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
        rows = TYPES[target][0].objects.all()
        related = {row.pk: {one.pk for one in getattr(row, attribute).all()} for row in rows}
        found &= Q(pk__in=[key for key, own in related.items() if _holds(word, own, keys)])
    return found


def _holds(word: str, own: set[Any], keys: set[Any]) -> bool:
    return {"some": bool(own & keys), "none": not own & keys, "every": own <= keys}[word]


def _keys(target: str, condition: Q) -> list[Any]:
    return list(TYPES[target][0].objects.filter(condition).values_list("pk", flat=True))
