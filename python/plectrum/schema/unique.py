"""Uniqueness: what a model's table already has, asked once per rule and not once per row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .invalid import InvalidError

if TYPE_CHECKING:
    from django.db.models import Model

    from .compiled import CompiledValidator

__all__ = ["check_unique"]

_Rule = tuple[str, ...]


def check_unique(schema: CompiledValidator[Any], values: Sequence[Any], instance: object, *, many: bool) -> None:
    """Refuses values that stand in the way of rows of the model's table, or of each other.

    Parameters:
        schema: a schema with a model.
        values: validated dicts.
        instance: the row that is being changed; it may keep its values.
        many: whether ``loc`` begins with a position.

    Errors:
        InvalidError: ``unique`` and ``unique_together`` errors, with Django's messages.
    """
    model = schema.model
    assert model is not None
    keys = {info.name: info.key for info in schema.fields.values()}
    errors: list[tuple[int, dict[str, Any]]] = []
    for rule in _rules(model):
        attributes: list[str] = [getattr(model._meta.get_field(name), "attname", name) for name in rule]
        if not all(attribute in keys for attribute in attributes):
            continue
        for position in _clashes(model, attributes, values, instance):
            loc: list[str | int] = [position] if many else []
            loc += [keys[attributes[0]]] if len(rule) == 1 else []
            errors.append((position, _told(model, rule, loc)))
    if errors:
        raise InvalidError([error for _, error in sorted(errors, key=lambda found: found[0])])


def _rules(model: type[Model]) -> Iterator[_Rule]:
    """Names of the fields that are unique alone or together; conditions and expressions are the database's to check."""
    from django.db.models import UniqueConstraint

    for field in model._meta.concrete_fields:
        if field.unique:
            yield (field.name,)
    for names in model._meta.unique_together:
        yield tuple(names)
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and constraint.condition is None and constraint.fields:
            yield tuple(constraint.fields)


def _clashes(model: type[Model], attributes: list[str], values: Sequence[Any], instance: object) -> Iterator[int]:
    """Positions of values that are taken; rows with a NULL clash with nothing (SQL)."""
    wanted: dict[tuple[Any, ...], list[int]] = {}
    columns: list[dict[Any, Any]] = [{} for _ in attributes]
    for position, value in enumerate(values):
        parts = [_of(value, instance, attribute) for attribute in attributes]
        if all(part is not None for part in parts):
            wanted.setdefault(_key(parts), []).append(position)
            for column, part in zip(columns, parts, strict=True):
                column[_key([part])] = part
    if not wanted:
        return
    # Of several attributes every wanted row passes, and more, which are told apart below.
    filters = {f"{name}__in": list(column.values()) for name, column in zip(attributes, columns, strict=True)}
    rows = model._base_manager.filter(**filters)
    if (pk := getattr(instance, "pk", None)) is not None:
        rows = rows.exclude(pk=pk)
    taken = {_key(row) for row in rows.values_list(*attributes)}
    for found, positions in wanted.items():
        yield from positions if found in taken else positions[1:]


def _of(value: Any, instance: object, attribute: str) -> Any:
    """A value's attribute; what it leaves out stays as it is on the instance."""
    return value[attribute] if attribute in value else getattr(instance, attribute, None)


def _key(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values by which a row is known: lists and dicts, as of arrays and JSON, by their text."""
    return tuple(
        json.dumps(value, sort_keys=True, default=str) if isinstance(value, (list, dict)) else value for value in values
    )


def _told(model: type[Model], rule: _Rule, loc: list[str | int]) -> dict[str, Any]:
    error = model().unique_error_message(model, rule)
    kind = "unique" if len(rule) == 1 else "unique_together"
    return {"loc": loc, "type": kind, "msg": str(error.messages[0]), "params": {"fields": ", ".join(rule)}}
