"""The routes of a resource that write: one function per action, run in the thread pool as Django's ORM wants it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from plectrum.errors import NotFound, ValidationError
from plectrum.params import Body, Path
from plectrum.returns import ROWS
from plectrum.synthetic import Function, keyword, named, with_signature

from .inputs import Inputs
from .writing import Writer

__all__ = ["ACTIONS", "BULK", "Writes"]

_LIST: Any = list  # of a type known at run time only
#: Action → method, whether its path has a row's key, status of success.
ACTIONS: dict[str, tuple[str, bool, int]] = {
    "create": ("POST", False, 201),
    "update": ("PUT", True, 200),
    "partial_update": ("PATCH", True, 200),
    "delete": ("DELETE", True, 204),
}
#: Action → method and status of success.
BULK: dict[str, tuple[str, int]] = {
    "bulk_create": ("POST", 201),
    "bulk_update": ("PATCH", 200),
    "bulk_delete": ("DELETE", 204),
}


@dataclasses.dataclass(frozen=True)
class Writes:
    """Makes the handlers of a resource.

    Parameters:
        inputs: types of the bodies.
        rows: the base queryset, for finding rows and for showing what was written.
        narrowed: whether ``rows`` may leave out what was just written.
        lookup: field a row is found by, and its parameter's name and type.
        max_bulk: rows of a bulk request at most.
        where: the user's line.
    """

    inputs: Inputs
    rows: Callable[[], Any]
    narrowed: bool
    lookup: tuple[str, str, Any]
    max_bulk: int
    where: str

    @property
    def writer(self) -> Writer:
        """Writes the model's rows."""
        return Writer(self.inputs)

    def handler(self, action: str) -> Function:
        """The handler of an action."""
        made: Function = getattr(self, f"_{action}")()
        model = self.inputs.model
        some = "" if action.startswith("bulk") else "one of "
        doc = f"{action.replace('_', ' ').capitalize()} {some}{model._meta.verbose_name_plural}."
        setattr(made, ROWS, self.rows)
        return named(made, f"{model._meta.model_name}_{action}", module=model.__module__, doc=doc, where=self.where)

    def _create(self) -> Function:
        writer = self.writer

        def create(*, data: Any) -> Any:
            return self._shown(writer.create(data))

        return with_signature(create, [keyword("data", _body(self.inputs.create))], self.inputs.model)

    def _update(self) -> Function:
        return self._change(self.inputs.create)

    def _partial_update(self) -> Function:
        return self._change(self.inputs.patch)

    def _change(self, body: Any) -> Function:
        _, name, _ = self.lookup
        writer = self.writer

        def change(*, data: Any, **values: Any) -> Any:
            with writer.transaction():
                return self._shown(writer.update(self._found(values[name]), data))

        return with_signature(change, [self._key(), keyword("data", _body(body))], self.inputs.model)

    def _delete(self) -> Function:
        _, name, _ = self.lookup
        writer = self.writer

        def delete(**values: Any) -> None:
            with writer.transaction(("path",)):
                writer.delete(self._found(values[name]))

        return with_signature(delete, [self._key()], type(None))

    def _bulk_create(self) -> Function:
        writer = self.writer

        def bulk_create(*, data: list[Any]) -> Any:
            return self._all_shown(writer.each(data, writer.create))

        return with_signature(bulk_create, [self._many(self.inputs.create)], _LIST[self.inputs.model])

    def _bulk_update(self) -> Function:
        _, name, annotation = self.lookup
        writer = self.writer

        def change(item: dict[str, Any], loc: Sequence[str | int]) -> Any:
            key = item.pop(name)
            return writer.update(self._found(key, (*loc, name)), item, loc)

        def bulk_update(*, data: list[Any]) -> Any:
            return self._all_shown(writer.each(data, change))

        row = self.inputs.with_key(self.inputs.patch, name, annotation)
        return with_signature(bulk_update, [self._many(row)], _LIST[self.inputs.model])

    def _bulk_delete(self) -> Function:
        _, _, annotation = self.lookup
        writer = self.writer

        def bulk_delete(*, data: list[Any]) -> None:
            writer.each(data, lambda key, loc: writer.delete(self._found(key, loc), loc))

        return with_signature(bulk_delete, [self._many(annotation)], type(None))

    def _many(self, item: Any) -> Any:
        return keyword("data", Annotated[_LIST[item], Body(min_length=1, max_length=self.max_bulk)])

    def _key(self) -> Any:
        field, name, annotation = self.lookup
        return keyword(name, Annotated[annotation, Path(description=f"{field} of the row")])

    def _found(self, value: Any, loc: Sequence[str | int] | None = None) -> Any:
        """The row of a key, locked: what is read of it is still so when it is written."""
        field, _, _ = self.lookup
        writer = self.writer
        found = self.rows().using(writer.alias).order_by().filter(**{field: value})
        # The base queryset may join and group, which no row can be locked through.
        key = found.values_list("pk", flat=True).first()
        instance = None if key is None else writer.locked(key)
        if instance is not None:
            return instance
        if loc is None:
            raise NotFound
        message = f"There is no {self.inputs.model._meta.verbose_name} with the key {value!r}."
        raise ValidationError([{"loc": [*loc], "type": "not_found", "msg": message}])

    def _shown(self, instance: Any) -> Any:
        from plectrum.orm import One

        one: Any = One
        return one(self._visible([instance]))

    def _all_shown(self, instances: Sequence[Any]) -> Any:
        return self._visible(instances).order_by("pk")

    def _visible(self, instances: Sequence[Any]) -> Any:
        """The rows as the resource shows them; those its queryset leaves out, as they are."""
        keys = [instance.pk for instance in instances]
        rows = self.rows().using(self.writer.alias).order_by().filter(pk__in=keys)
        if self.narrowed and rows.count() < len(keys):
            rows = self.inputs.model._base_manager.using(self.writer.alias).filter(pk__in=keys)
        return rows


def _body(annotation: Any) -> Any:
    return Annotated[annotation, Body()]
