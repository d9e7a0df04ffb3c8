"""Operators of filters: which there are for a scalar, and the lookup each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .scalars import Enum, Leaf

__all__ = ["Operator", "operators_of"]


@dataclass(frozen=True)
class Operator:
    """An operator.

    Parameters:
        name: in the schema.
        lookup: Django's.
        many: whether it takes a list.
        negated: whether rows that match are left out.
    """

    name: str
    lookup: str
    many: bool = False
    negated: bool = False

    def type_of(self, leaf: Leaf) -> str:
        """The type of its value in the schema."""
        if self.lookup == "isnull":
            return "Boolean"
        return f"[{leaf.name}!]" if self.many else leaf.name


_EQUAL: Final = (Operator("eq", "exact"), Operator("ne", "exact", negated=True))
_LISTED: Final = (Operator("in", "in", many=True), Operator("notIn", "in", many=True, negated=True))
_ORDERED: Final = (Operator("lt", "lt"), Operator("lte", "lte"), Operator("gt", "gt"), Operator("gte", "gte"))
_TEXT: Final = tuple(
    Operator(name, lookup)
    for name, lookup in {
        "contains": "contains",
        "icontains": "icontains",
        "startsWith": "startswith",
        "istartsWith": "istartswith",
        "endsWith": "endswith",
        "iendsWith": "iendswith",
        "iexact": "iexact",
    }.items()
)
_NULL: Final = (Operator("isNull", "isnull"),)
_ORDERABLE: Final = ("Int", "BigInt", "Float", "Decimal", "Date", "Time", "DateTime", "Duration")


def operators_of(leaf: Leaf) -> tuple[Operator, ...]:
    """The operators for values of a scalar or an enum."""
    if isinstance(leaf, Enum) or leaf.name in ("ID", "UUID"):
        return (*_EQUAL, *_LISTED, *_NULL)
    if leaf.name == "Boolean":
        return (*_EQUAL, *_NULL)
    if leaf.name in ("JSON", "Base64"):
        return _NULL
    if leaf.name == "String":
        return (*_EQUAL, *_LISTED, *_ORDERED, *_TEXT, *_NULL)
    return (*_EQUAL, *_LISTED, *_ORDERED, *_NULL)
