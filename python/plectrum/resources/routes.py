"""The routes of a resource that write: one function per action, run in the thread pool as Django's ORM wants it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

from plectrum.guards import FINDS_ROW
from plectrum.openapi import ANSWERS
from plectrum.params import Body, Path
from plectrum.returns import ROWS
from plectrum.synthetic import Function, keyword, named, with_signature

from .inputs import Inputs
from .store import Store
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
        store: finds, shows and writes rows.
        max_bulk: rows of a bulk request at most.
        where: the user's line.
    """

    store: Store
    max_bulk: int
    where: str

    @property
    def inputs(self) -> Inputs:
        """Types of the bodies."""
        return self.store.writer.inputs

    @property
    def writer(self) -> Writer:
        """Writes the model's rows."""
        return self.store.writer

    def handler(self, action: str) -> Function:
        """The handler of an action."""
        made: Function = getattr(self, f"_{action}")()
        model = self.inputs.model
        some = "" if action.startswith("bulk") else "one of "
        doc = f"{action.replace('_', ' ').capitalize()} {some}{model._meta.verbose_name_plural}."
        setattr(made, ROWS, self.store.rows)
        setattr(made, FINDS_ROW, "create" not in action)
        setattr(made, ANSWERS, (404, 409) if action not in ("create", "bulk_create") else (409,))
        return named(made, f"{model._meta.model_name}_{action}", module=model.__module__, doc=doc, where=self.where)

    def _create(self) -> Function:
        writer = self.writer

        def create(*, data: Any) -> Any:
            return self.store.shown(writer.create(data))

        return with_signature(create, [keyword("data", _body(self.inputs.create))], self.inputs.model)

    def _update(self) -> Function:
        return self._change(self.inputs.create)

    def _partial_update(self) -> Function:
        return self._change(self.inputs.patch)

    def _change(self, body: Any) -> Function:
        _, name, _ = self.store.lookup
        writer = self.writer

        def change(*, data: Any, **values: Any) -> Any:
            with writer.transaction():
                return self.store.shown(writer.update(self.store.found(values[name]), data))

        return with_signature(change, [self._key(), keyword("data", _body(body))], self.inputs.model)

    def _delete(self) -> Function:
        _, name, _ = self.store.lookup
        writer = self.writer

        def delete(**values: Any) -> None:
            with writer.transaction(("path",)):
                writer.delete(self.store.found(values[name]))

        return with_signature(delete, [self._key()], type(None))

    def _bulk_create(self) -> Function:
        writer = self.writer

        def bulk_create(*, data: list[Any]) -> Any:
            return self.store.all_shown(writer.each(data, writer.create))

        return with_signature(bulk_create, [self._many(self.inputs.create)], _LIST[self.inputs.model])

    def _bulk_update(self) -> Function:
        _, name, annotation = self.store.lookup
        writer = self.writer

        def change(item: dict[str, Any], loc: Sequence[str | int]) -> Any:
            key = item.pop(name)
            return writer.update(self.store.found(key, (*loc, name)), item, loc)

        def bulk_update(*, data: list[Any]) -> Any:
            return self.store.all_shown(writer.each(data, change))

        row = self.inputs.with_key(self.inputs.patch, name, annotation)
        return with_signature(bulk_update, [self._many(row)], _LIST[self.inputs.model])

    def _bulk_delete(self) -> Function:
        _, _, annotation = self.store.lookup
        writer = self.writer

        def bulk_delete(*, data: list[Any]) -> None:
            writer.each(data, lambda key, loc: writer.delete(self.store.found(key, loc), loc))

        return with_signature(bulk_delete, [self._many(annotation)], type(None))

    def _many(self, item: Any) -> Any:
        return keyword("data", Annotated[_LIST[item], Body(min_length=1, max_length=self.max_bulk)])

    def _key(self) -> Any:
        field, name, annotation = self.store.lookup
        return keyword(name, Annotated[annotation, Path(description=f"{field} of the row")])


def _body(annotation: Any) -> Any:
    return Annotated[annotation, Body()]
