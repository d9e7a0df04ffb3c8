"""Validated bodies → rows, as Django writes them: ``full_clean()``, ``save()``, signals, all in one transaction."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any, cast

from django.db import models, router, transaction
from django.db.models import UniqueConstraint

from plectrum.errors import HTTPException, ValidationError

from .inputs import Inputs
from .violations import Loc, Problem, refusals

__all__ = ["Writer"]

Data = Mapping[str, Any]


class Writer:
    """Writes rows of one model. Every method is one transaction, and either all of it happens or nothing.

    Parameters:
        inputs: types of the bodies.
        using: database alias; Django's routers decide where absent.
    """

    def __init__(self, inputs: Inputs, using: str | None = None) -> None:
        self.inputs = inputs
        self.model = inputs.model
        self._using = using
        self._nested = {name: Writer(inner, using) for name, inner in inputs.nested.items()}

    @property
    def alias(self) -> str:
        """The database that is written to."""
        return self._using or router.db_for_write(self.model)

    @contextlib.contextmanager
    def transaction(self, loc: Loc = ("body",)) -> Generator[None]:
        """A transaction, or a part of one, that turns what the database refuses into 409 and 422 at ``loc``."""
        with refusals(self.model, loc), transaction.atomic(using=self.alias):
            yield

    def create(self, data: Data, loc: Loc = ("body",), **attributes: Any) -> Any:
        """Makes a row.

        Parameters:
            data: the body.
            loc: its place in the request, for errors.
            attributes: what the body does not say, such as the row's owner.

        Errors:
            ValidationError: 422. Conflict: 409.
        """
        with self.transaction(loc):
            return self._save(self.model(**attributes), data, loc, new=True)

    def update(self, instance: Any, data: Data, loc: Loc = ("body",), **attributes: Any) -> Any:
        """Changes what ``data`` says of a row, and nothing else; parameters and errors as :meth:`create`."""
        with self.transaction(loc):
            for name, value in attributes.items():
                setattr(instance, name, value)
            return self._save(instance, data, loc, new=False)

    def delete(self, instance: Any, loc: Loc = ("path",)) -> None:
        """Deletes a row with what depends on it, as ``Model.delete()``.

        Errors:
            Conflict: 409, where protected rows refer to it.
        """
        with self.transaction(loc):
            instance.delete()

    def locked(self, key: Any) -> Any:
        """The row of a primary key, locked until the transaction ends; ``None`` where there is none."""
        rows: models.QuerySet[Any] = self.model._base_manager.using(self.alias)
        return rows.select_for_update().filter(pk=key).first()

    def each(self, items: Sequence[Any], write: Callable[[Any, Loc], Any]) -> list[Any]:
        """Writes every item of a list or none of them.

        Parameters:
            items: the body.
            write: writes one, given its place.

        Errors:
            ValidationError, Conflict: with the errors of every row, each at its place.
        """
        results: list[Any] = []
        problems: list[Problem] = []
        statuses: set[int] = set()
        with self.transaction():
            for index, item in enumerate(items):
                try:
                    results.append(write(item, ("body", index)))
                except HTTPException as error:
                    statuses.add(error.status)
                    problems += error.extra.get("errors") or [
                        {"loc": ["body", index], "type": "invalid", "msg": str(error.detail)}
                    ]
            if problems:
                raise _refused(statuses, problems)
        return results

    def _save(self, instance: Any, data: Data, loc: Loc, *, new: bool) -> Any:
        own = [name for name in data if name in self._columns]
        for name in own:
            self._assign(instance, name, data[name], loc, new=new)
        instance.full_clean(exclude=None if new else _untouched(self.model, own))
        if new:
            instance.save(force_insert=True, using=self.alias)
        else:
            instance.save(using=self.alias)
        for name in data:
            if name not in self._columns:
                self._assign_many(instance, name, data[name], (*loc, name))
        return instance

    @functools.cached_property
    def _columns(self) -> dict[str, Any]:
        return {field.name: field for field in self.model._meta.concrete_fields}

    def _assign(self, instance: Any, name: str, value: Any, loc: Loc, *, new: bool) -> None:
        field = self._columns[name]
        if field.primary_key and not new and value != instance.pk:
            message = "The key of a row cannot be changed."
            raise ValidationError([{"loc": [*loc, name], "type": "immutable", "msg": message}])
        if isinstance(value, dict) and name in self._nested:
            setattr(instance, name, self._nested[name]._write(cast("Data", value), (*loc, name)))
        else:
            setattr(instance, field.attname, value)

    def _assign_many(self, instance: Any, name: str, values: Sequence[Any], loc: Loc) -> None:
        relation = self.model._meta.get_field(name)
        if relation.auto_created:
            self._replace(instance, relation, values, loc)
            return
        rows = [
            self._nested[name]._write(cast("Data", value), (*loc, index)) if isinstance(value, dict) else value
            for index, value in enumerate(values)
        ]
        self._check_keys(relation.related_model, rows, loc)
        getattr(instance, name).set(rows)

    def _check_keys(self, model: Any, rows: Sequence[Any], loc: Loc) -> None:
        """Refuses keys without a row here, where the place is known; the database would only say so at the end."""
        keys = {row for row in rows if not isinstance(row, models.Model)}
        if not keys:
            return
        known = set(model._default_manager.using(self.alias).filter(pk__in=keys).values_list("pk", flat=True))
        errors = [_missing((*loc, index), model, row) for index, row in enumerate(rows) if row in keys - known]
        if errors:
            raise ValidationError(errors)

    def _replace(self, instance: Any, relation: Any, values: Sequence[Data], loc: Loc) -> None:
        """The rows that point to ``instance`` become those of the list."""
        writer = self._nested[relation.name]
        back = {relation.field.attname: getattr(instance, relation.field.target_field.attname)}
        rows = writer.model._base_manager.using(self.alias).filter(**back)
        kept = [writer._write(value, (*loc, index), within=rows, **back) for index, value in enumerate(values)]
        for left in rows.exclude(pk__in=[row.pk for row in kept]):
            left.delete()

    def _write(self, data: Data, loc: Loc, within: models.QuerySet[Any] | None = None, **attributes: Any) -> Any:
        """A nested row: changed where it has a key, made where it has none."""
        name = self.model._meta.pk.name
        key = data.get(name)
        if key is None:
            return self.create({k: v for k, v in data.items() if k != name}, loc, **attributes)
        rows = self.model._default_manager.using(self.alias).all() if within is None else within
        instance = rows.select_for_update(of=("self",)).filter(pk=key).first()
        if instance is None:
            raise ValidationError([_missing((*loc, name), self.model, key)])
        return self.update(instance, data, loc)


def _missing(loc: Loc, model: Any, key: Any) -> Problem:
    return {"loc": [*loc], "type": "not_found", "msg": f"There is no {model._meta.verbose_name} with the key {key!r}."}


def _refused(statuses: set[int], problems: list[Problem]) -> HTTPException:
    """The rows' errors together: 422 where any is the client's to correct, otherwise what they agree on."""
    if len(statuses) == 1 and 422 not in statuses:
        return HTTPException(statuses.pop(), problems[0]["msg"], extra={"errors": problems})
    return ValidationError(problems)


def _untouched(model: Any, touched: Collection[str]) -> set[str]:
    """Fields whose own rules need not hold for a change of others: those that no common rule ties to a changed one.

    As in DRF, an old value that today's rules would refuse does not stand in the way of changing another one.
    """
    names = {field.name for field in model._meta.concrete_fields}
    tied: set[str] = set()
    parents = [model, *model._meta.get_parent_list()]
    for constraint in (constraint for parent in parents for constraint in parent._meta.constraints):
        fields = set(getattr(constraint, "fields", ()))
        if not isinstance(constraint, UniqueConstraint) or not fields or constraint.condition is not None:
            return set()  # an expression may refer to any field
        tied |= fields if fields & set(touched) else set()
    for fields in (set(group) for parent in parents for group in parent._meta.unique_together):
        tied |= fields if fields & set(touched) else set()
    return names - set(touched) - tied
