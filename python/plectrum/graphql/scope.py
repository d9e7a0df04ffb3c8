"""What the parts of a plan share while it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from plectrum.orm.fields import value_field
from plectrum.orm.internal import Rows, class_of, is_a
from plectrum.params import Query

from .arguments import Arguments, Shape
from .errors import GraphQLError
from .fields import Column, ObjectType
from .graph import Graph
from .scalars import ID, Enum, leaf_of_field
from .viewer import Viewer

__all__ = ["Scope"]


@dataclass
class Scope:
    """One plan in the making.

    Parameters:
        graph: what there is.
        using: database alias.
        arguments: what the plan binds.
        resolves: whether functions give some of its fields.
    """

    graph: Graph
    using: str
    arguments: Arguments = field(default_factory=Arguments)
    resolves: bool = False

    def rows(self, one: ObjectType) -> Rows:
        """The rows of a type that clients may know of."""
        return self.narrowed(one, one.model._default_manager.using(self.using).all())

    def narrowed(self, one: ObjectType, rows: Rows) -> Rows:
        """Rows without those the type does not show."""
        rule = one.options.rows
        return rows if rule is None else rule(rows, Viewer(self.arguments))

    def visible(self, condition: Any) -> Any:
        """The condition of a field, for this request's maker."""
        return condition(Viewer(self.arguments)) if callable(condition) else condition

    def value(self, one: ObjectType, column: Column, shape: Any) -> Any:
        """What a column is compared with.

        Errors:
            GraphQLError: an id of another type.
        """
        if isinstance(column.leaf, Enum):
            members = column.leaf.members
            return [members[name] for name in shape] if is_a(shape, list) else members[shape]
        if not is_a(shape, dict):
            return shape
        return self.arguments.take(shape, self.annotation(one, column, shape), column.name)

    def annotation(self, one: ObjectType, column: Column, shape: Shape) -> Any:
        """Python type of a column's values."""
        if column.leaf is not ID:
            return getattr(column.leaf, "annotation", str)
        field = one.model._meta.pk if column.path == "pk" else one.model._meta.get_field(column.path)
        self._check_id(one if column.path == "pk" else self.graph.type_of(field.related_model), shape)
        found = leaf_of_field(value_field(field))
        return found[0].annotation if found else str

    def stored(self, one: ObjectType, column: Column) -> Any:
        """Python type of a column's values as they are stored."""
        if isinstance(column.leaf, Enum):
            return class_of(next(iter(column.leaf.members.values())))
        return self.annotation(one, column, {})

    def _check_id(self, target: ObjectType | None, shape: Shape) -> None:
        of = shape.get("of")
        if of is not None and (target is None or target.name != of):
            raise GraphQLError(f"The id is one of {of}, not of {target.name if target else 'this field'}.")

    def bound(self, shape: Shape, name: str, most: int | None = None) -> Any:
        """A number of rows.

        Parameters:
            shape: its placeholder.
            name: of the argument.
            most: what it may be at most.
        """
        return self.arguments.take(shape, Annotated[int, Query(ge=0, le=most)], name)
