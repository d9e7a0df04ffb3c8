"""The rows of a resource: found by a key, shown after a write."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from plectrum.errors import NotFound, ValidationError

from .violations import Loc
from .writing import Writer

__all__ = ["Store"]


@dataclasses.dataclass(frozen=True)
class Store:
    """Finds rows and shows them.

    Parameters:
        writer: writes them.
        rows: makes the base queryset.
        lookup: field a row is found by, and its parameter's name and type.
        narrowed: whether ``rows`` may leave out what was just written.
    """

    writer: Writer
    rows: Callable[[], Any]
    lookup: tuple[str, str, Any]
    narrowed: bool

    def found(self, value: Any, loc: Loc | None = None) -> Any:
        """The row of a key, locked: what is read of it is still so when it is written.

        Parameters:
            value: of the lookup field.
            loc: place of the key in the body; ``None`` where it is the path's.

        Errors:
            NotFound: the path names no row. ValidationError: the body does not.
        """
        found = self.rows().using(self.writer.alias).order_by().filter(**{self.lookup[0]: value})
        # The base queryset may join and group, which no row can be locked through.
        key = found.values_list("pk", flat=True).first()
        instance = None if key is None else self.writer.locked(key)
        if instance is not None:
            return instance
        if loc is None:
            raise NotFound
        message = f"There is no {self.writer.model._meta.verbose_name} with the key {value!r}."
        raise ValidationError([{"loc": [*loc], "type": "not_found", "msg": message}])

    def shown(self, instance: Any) -> Any:
        """The answer that shows one row."""
        from plectrum.orm import One

        one: Any = One
        return one(self._visible([instance]))

    def all_shown(self, instances: Sequence[Any]) -> Any:
        """The answer that shows several rows, in the order of their keys."""
        return self._visible(instances).order_by("pk")

    def _visible(self, instances: Sequence[Any]) -> Any:
        """The rows as the resource shows them; those its queryset leaves out, as they are."""
        keys = [instance.pk for instance in instances]
        rows = self.rows().using(self.writer.alias).order_by().filter(pk__in=keys)
        if self.narrowed and rows.count() < len(keys):
            rows = self.writer.model._base_manager.using(self.writer.alias).filter(pk__in=keys)
        return rows
