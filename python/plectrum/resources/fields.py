"""A model's fields as types of a request body, as Django REST framework's ``ModelSerializer`` chooses its fields."""

from __future__ import annotations

import decimal
from typing import Annotated, Any, Literal

from django.db import models

from plectrum.columns import python_type
from plectrum.params import Field

__all__ = ["key_type", "nullable", "value_type"]

_LIST: Any = list  # of a type known at run time only
#: ``Field.get_internal_type()`` → what JSON gives, for fields whose values are of no one type.
_JSON: dict[str, Any] = {"JSONField": Any, "HStoreField": dict[str, str | None]}


def value_type(field: Any) -> Any:
    """The type of a plain field's value with the rules that need no database; ``None`` where JSON cannot give it.

    Parameters:
        field: a concrete field that is no relation.
    """
    base = _base(field)
    if base is None:
        return None
    chosen = _choices(field)
    if chosen is not None:
        return nullable(field, chosen)
    rules = _rules(field, base)
    return nullable(field, Annotated[(base, rules)] if rules else base)


def key_type(field: Any) -> Any:
    """The type of the keys of a relation's target."""
    target = field.target_field if not field.many_to_many else field.related_model._meta.pk
    while getattr(target, "remote_field", None) is not None:
        target = target.target_field
    return value_type(_required(target)) or str


def nullable(field: Any, annotation: Any) -> Any:
    """``annotation``, or ``None`` where the column may be NULL."""
    return annotation | None if field.null else annotation


def _required(field: Any) -> Any:
    """The field of a key that is given: it is never blank, and choices do not matter."""
    if not field.null and not field.choices:
        return field
    copy = field.clone()
    copy.null, copy.choices = False, None
    return copy


def _base(field: Any) -> Any:
    kind = field.get_internal_type()
    if isinstance(field, (models.FileField, models.GeneratedField)):
        return None  # files come in forms, generated columns from the database
    if kind == "ArrayField":
        item = value_type(field.base_field)
        return None if item is None else list[item]  # type: ignore[valid-type]
    return _JSON.get(kind) or python_type(field)


def _choices(field: Any) -> Any:
    values = [value for value, _ in field.flatchoices or ()]
    if not values or not all(isinstance(value, (str, int)) for value in values):
        return None
    if field.blank and isinstance(values[0], str):
        values.append("")
    plain = [int(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in values]
    plain = [str(v) if isinstance(v, str) else v for v in plain]
    return Literal[tuple(dict.fromkeys(plain))]


def _rules(field: Any, base: Any) -> Field | None:
    rules: dict[str, Any] = {}
    if base is str:
        rules["max_length"] = field.max_length
        rules["min_length"] = None if field.blank else 1
    elif base is decimal.Decimal:
        rules.update(max_digits=field.max_digits, decimal_places=field.decimal_places)
    elif base is int:
        rules["ge"], rules["le"] = _bounds(field)
    elif base is bytes or field.get_internal_type() == "ArrayField":
        rules["max_length"] = getattr(field, "max_length", None) or getattr(field, "size", None)
    if field.help_text:
        rules["description"] = str(field.help_text)
    rules = {name: value for name, value in rules.items() if value is not None}
    return Field(**rules) if rules else None


def _bounds(field: Any) -> tuple[int | None, int | None]:
    """What fits the column on the engine behind the model."""
    from django.db import connections, router

    model = getattr(field, "model", None)
    alias = router.db_for_write(model) if model is not None else "default"
    low, high = connections[alias].ops.integer_field_range(field.get_internal_type())
    return low, high
