"""What a type of the graph consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plectrum.orm.relations import Relation

from .options import Type
from .scalars import Leaf, Scalar

__all__ = ["Aggregate", "Column", "Computed", "Connection", "Field", "Many", "ObjectType", "One", "Resolved"]


@dataclass(frozen=True)
class Column:
    """A stored value.

    Parameters:
        name: in the schema.
        path: the model field's name, as Django's lookups have it.
        leaf: scalar or enum.
        nullable: whether it may be null.
        depth: how deep values are nested in lists.
        description: for the schema.
        visible: condition on the row without which it is null.
    """

    name: str
    path: str
    leaf: Leaf
    nullable: bool
    depth: int = 0
    description: str = ""
    visible: Any = None


@dataclass(frozen=True)
class Computed:
    """A value SQL computes; parameters as :class:`Column`, ``expression`` is Django's."""

    name: str
    expression: Any
    leaf: Leaf
    nullable: bool
    depth: int = 0
    description: str = ""
    visible: Any = None


@dataclass(frozen=True)
class Resolved:
    """A value that a function gives.

    Parameters:
        name: in the schema.
        function: the user's.
        needs: names of the model fields that it is given.
        is_async: whether it returns a coroutine.
        wants_info: whether it is told of the request.
        leaf: type of the values.
        nullable: whether one may be null.
        depth: how deep they are nested in lists.
        description: for the schema.
    """

    name: str
    function: Callable[..., Any]
    needs: tuple[str, ...]
    is_async: bool
    wants_info: bool
    leaf: Scalar
    nullable: bool
    depth: int = 0
    description: str = ""


@dataclass(frozen=True)
class One:
    """A relation to one row at most; ``target`` is the name of its type."""

    name: str
    relation: Relation
    target: str
    nullable: bool
    description: str = ""


@dataclass(frozen=True)
class Many:
    """A relation to any number of rows; ``target`` is the name of their type."""

    name: str
    relation: Relation
    target: str
    description: str = ""


@dataclass(frozen=True)
class Connection:
    """The pages of a relation to any number of rows."""

    name: str
    relation: Relation
    target: str
    description: str = ""


@dataclass(frozen=True)
class Aggregate:
    """The aggregates of a relation to any number of rows."""

    name: str
    relation: Relation
    target: str
    description: str = ""


Field = Column | Computed | Resolved | One | Many | Connection | Aggregate


@dataclass
class ObjectType:
    """A model in the graph.

    Parameters:
        name: of the type.
        model: Django's.
        options: what the user said of it.
        fields: by name.
        interfaces: names of the interfaces it implements.
    """

    name: str
    model: Any
    options: Type
    fields: dict[str, Field] = field(default_factory=dict[str, Field])
    interfaces: tuple[str, ...] = ()

    @property
    def columns(self) -> list[Column]:
        """Stored values clients may filter and order by: those that every client may see, and no lists."""
        return [
            one for one in self.fields.values() if isinstance(one, Column) and one.visible is None and not one.depth
        ]

    @property
    def description(self) -> str:
        """The model's docstring, where it has one of its own."""
        text = str(self.model.__doc__ or "")
        return "" if text.startswith(f"{self.model.__name__}(") else text.strip()
