"""What a return annotation says: which way the route is answered, and its schema for OpenAPI."""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from typing import Any, Union, get_args, get_origin

from .errors import SchemaError
from .nodes import Node, Nodes
from .params import MISSING
from .routing import Handler

__all__ = ["Returns", "read_returns"]


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
        return Returns(annotation, "queryset")
    try:
        schema = nodes.schema(annotation, where=f"{handler.__qualname__}() -> ")
    except SchemaError:
        return Returns(annotation, "object")
    return Returns(annotation, "object", schema)


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

    return issubclass(base, (Model, QuerySet, One, Page, Count, Exists))
