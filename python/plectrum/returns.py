"""What a return annotation says: which way the route is answered, and its schema for OpenAPI."""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from .errors import SchemaError
from .nodes import Node, Nodes
from .params import MISSING
from .routing import Handler

if TYPE_CHECKING:
    from .orm import Operation

__all__ = ["COUNTED", "ROWS", "Returns", "describe_operation", "read_returns"]

#: Attribute of a function that Plectrum made for the user: makes the queryset whose rows it answers with.
ROWS = "__plectrum_rows__"
#: Attribute of such a function that gives pages: the ``count`` of its pagination.
COUNTED = "__plectrum_counted__"


@dataclasses.dataclass(frozen=True)
class Returns:
    """A return annotation, read.

    Parameters:
        annotation: evaluated, or ``MISSING``.
        way: ``queryset`` where it names a Django model or a query result, ``object`` otherwise.
        schema: description for OpenAPI; ``None`` where the type says nothing.
    """

    annotation: Any
    way: str
    schema: Node | None = None


def read_returns(annotation: Any, nodes: Nodes, handler: Handler) -> Returns:
    """Reads the annotation of ``handler``'s return value."""
    if annotation is MISSING or annotation is Any:
        return Returns(annotation, "object")
    if _names_query(annotation):
        return Returns(annotation, "queryset", _describe_query(annotation, nodes, handler))
    try:
        schema = nodes.schema(annotation, where=f"{handler.__qualname__}() -> ")
    except SchemaError:
        return Returns(annotation, "object")
    return Returns(annotation, "object", schema)


def describe_operation(operation: Operation, nodes: Nodes) -> Node:
    """The description of what an operation answers, named after its model."""
    from .orm.describe import describe_response

    return nodes.describe(describe_response(operation, _row_name(operation), nodes.record))


def _row_name(operation: Operation) -> str:
    for query in operation.queries:
        for column in query.columns:
            target = getattr(column.expression, "target", None)
            if target is not None:
                name: str = target.model.__name__
                return name
    return "Row"


def _describe_query(annotation: Any, nodes: Nodes, handler: Handler) -> Node | None:
    """The description of ``QuerySet[M]``, ``list[M]`` or ``M``: of all of the model's rows, or of one.

    A handler that Plectrum made says itself which rows it gives, as :data:`ROWS`.
    """
    from django.db.models import Model

    from .errors import PlanError
    from .orm import plan

    form = get_origin(annotation)
    (inner, *rest) = get_args(annotation) or (annotation,)
    if rest or not isinstance(inner, type) or not issubclass(inner, Model):
        return None
    rows: Any = getattr(handler, ROWS, inner._default_manager.all)()
    try:
        operation = plan(_shown(rows, form, getattr(handler, COUNTED, True)), None).operation
    except PlanError:
        return None
    return describe_operation(operation, nodes)


def _shown(rows: Any, form: Any, count: Any) -> Any:
    """The rows as an annotation of this origin says."""
    from django.db.models import QuerySet

    from .orm import One, Page
    from .orm.cursor import CursorRows

    wrap: Any = One
    page: Any = Page
    if form is CursorRows:
        return CursorRows[Any](rows, 1, "cursor", "")
    if form is Page:
        return page(rows, number=1, size=1, count=count)
    return rows if form in (list, QuerySet) else wrap(rows)


def _names_query(annotation: Any) -> bool:
    """Whether the annotation, or anything inside it, is a model, a QuerySet or one of our query results."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, list, typing.Annotated):
        return any(_names_query(part) for part in get_args(annotation))
    base = origin or annotation
    if not isinstance(base, type) or "django" not in sys.modules:
        return False
    from django.db.models import Model, QuerySet

    from .orm import Count, Exists, One, Page
    from .orm.cursor import CursorRows

    return issubclass(base, (Model, QuerySet, One, Page, CursorRows, Count, Exists))
