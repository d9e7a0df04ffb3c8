"""Django models → schemas: every rule that the model's fields have, as Rust's rule where it is one of Django's own."""

from __future__ import annotations

import datetime
import functools
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NotRequired, TypedDict, cast

from django.core import validators
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import NOT_PROVIDED
from django.db.models.fields.files import FileField

from ..columns import python_type
from ..errors import SchemaError
from ..params import Field
from .compiled import CompiledValidator

__all__ = ["from_model"]


def from_model(
    model: type[models.Model],
    *,
    fields: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    nested: Mapping[str, Any] | None = None,
) -> CompiledValidator[dict[str, Any]]:
    """A schema of a Django model, by the rules of DRF's ``ModelSerializer``.

    What is validated is a dict of the model's attributes, ready for ``Model(**values)``: a foreign key stands in the
    input under its field's name and in the result under its column's (``author`` → ``author_id``). Fields that are not
    editable are read-only; those with a default, or that may be blank, may be left out and are then not in the result.

    Parameters:
        model: the class.
        fields: names, in order; all concrete fields where absent. Many-to-many fields have to be named; they are
            written as the keys of their rows and not read.
        exclude: names to leave out.
        nested: relation → the schema its rows are written with; not read from input.

    Errors:
        SchemaError: a name that the model does not have.
    """
    left_out = set(exclude)
    names = list(fields) if fields is not None else [field.name for field in model._meta.concrete_fields]
    members: dict[str, Any] = {}
    for name in [*names, *(name for name in nested or {} if name not in names)]:
        if name in left_out:
            continue
        inner = (nested or {}).get(name)
        attribute, annotation = _nested(model, name, inner) if inner is not None else _member(_field(model, name))
        members[attribute] = annotation
    made: Any = TypedDict
    return CompiledValidator(made(model.__name__, members), model=model)


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist as error:
        known = ", ".join(field.name for field in model._meta.get_fields())
        raise SchemaError(f"{model.__name__} has no field {name!r}. It has: {known}.") from error


def _nested(model: type[models.Model], name: str, schema: Any) -> tuple[str, Any]:
    field = _field(model, name)
    accessor = field.get_accessor_name() if field.auto_created and not field.concrete else field.name
    inner = schema.annotation if isinstance(schema, CompiledValidator) else schema
    many = field.one_to_many or field.many_to_many
    annotation: Any = types.GenericAlias(list, (inner,)) if many else inner
    return accessor, _annotated(annotation, Field(alias=name, read_only=True, null=not many))


def _member(field: Any) -> tuple[str, Any]:
    """Attribute and annotation of a model field."""
    if field.many_to_many or field.one_to_many:
        return field.name, _annotated(list[Any], Field(read_only=True, output=_keys_of))
    rules = _rules(field)
    annotation = _annotated(_type_of(field), rules)
    may_be_absent = rules.read_only or field.has_default() or field.blank or field.null or _has_db_default(field)
    return field.attname, NotRequired[annotation] if may_be_absent else annotation


def _annotated(annotation: Any, rules: Field) -> Any:
    """``Annotated``, of types that are known only now."""
    return cast("Any", Annotated)[annotation, rules]


def _rules(field: Any) -> Field:
    target = field.target_field if field.is_relation else field
    read_only = not field.editable or isinstance(field, models.AutoField) or getattr(field, "generated", False)
    text = isinstance(field, (models.CharField, models.TextField)) and not field.choices and not _is_custom(field)
    return Field(
        alias=field.name if field.name != field.attname else None,
        description=str(field.help_text) or None,
        null=field.null,
        read_only=read_only or isinstance(field, FileField),
        choices=field.flatchoices if field.choices else None,
        blank=field.blank if text or (field.choices and field.blank) else None,
        strip=True if text else None,
        no_nul=True if text else None,
        output=_output(field),
        **({} if field.choices else _limits(target)),
    )


def _limits(field: Any) -> dict[str, Any]:
    """The constraints of Django's own validators as rules; every other validator runs in Python."""
    if _is_custom(field):
        return {"validators": (functools.partial(field.clean, model_instance=None),)}
    found: dict[str, Any] = {}
    others: list[Callable[[Any], Any]] = []
    for validator in field.validators:
        rule = _rule_of(validator, field)
        if rule is None:
            others.append(validator)
        else:
            found |= rule
    if isinstance(field, models.DecimalField):
        found |= {"max_digits": field.max_digits, "decimal_places": field.decimal_places, "count_zeros": True}
    if isinstance(field, models.CharField) and field.max_length is not None:
        found["max_length"] = field.max_length
    return {**found, "validators": tuple(others)} if others else found


_LIMIT_NAMES: dict[Any, str] = {
    validators.MaxLengthValidator: "max_length",
    validators.MinLengthValidator: "min_length",
    validators.MinValueValidator: "ge",
    validators.MaxValueValidator: "le",
}
_FORMATS: tuple[tuple[Any, str], ...] = (
    (validators.validate_email, "email"),
    (validators.validate_slug, "slug"),
    (validators.validate_unicode_slug, "unicode_slug"),
    (validators.validate_ipv4_address, "ipv4"),
    (validators.validate_ipv6_address, "ipv6"),
    (validators.validate_ipv46_address, "ip"),
    (validators.URLValidator(), "url"),
)


def _rule_of(validator: Any, field: Any) -> dict[str, Any] | None:
    """A validator as a rule; nothing where it says nothing new, ``None`` where it is not one of Django's own."""
    kind: Any = cast("Any", type)(validator)
    name = _LIMIT_NAMES.get(kind)
    if name is not None and "message" not in vars(validator) and not callable(validator.limit_value):
        fits = isinstance(field, (models.CharField, models.TextField)) == name.endswith("length")
        return {name: validator.limit_value} if fits else None
    if kind is validators.DecimalValidator and isinstance(field, models.DecimalField):
        return {}
    for known, format_name in _FORMATS:
        if validator is known or (type(known) is kind and not _is_function(known) and validator == known):
            return {"format": format_name}
    return None


def _is_function(validator: Any) -> bool:
    """Whether a validator is a plain function, which equals nothing but itself."""
    return not hasattr(validator, "deconstruct")


def _type_of(field: Any) -> Any:
    if field.is_relation:
        return _type_of(field.target_field)
    if _is_custom(field) and not isinstance(field, FileField):
        return Any
    base = getattr(field, "base_field", None)
    if base is not None and hasattr(field, "size"):  # ArrayField
        return types.GenericAlias(list, (_annotated(_type_of(base), Field(null=base.null, **_limits(base))),))
    return python_type(field) or Any


def _output(field: Any) -> Callable[[Any], Any] | None:
    """What is called with a value before it is written; ``None`` for what Rust writes as DRF does."""
    if _is_custom(field) or hasattr(field, "range_type"):  # PostgreSQL's ranges are objects of the driver's
        return _by_value_to_string(field)
    base = getattr(field, "base_field", None)
    inner = _output(base) if base is not None else None
    if inner is not None:
        return functools.partial(_each, inner)
    return _in_current_zone if isinstance(field, models.DateTimeField) else None


def _each(written: Callable[[Any], Any], values: Any) -> Any:
    return None if values is None else [written(value) for value in values]


#: Methods of a field that say what its values are.
_VALUE_METHODS = ("from_db_value", "to_python", "get_prep_value", "value_to_string")


def _is_custom(field: Any) -> bool:
    """Whether values are of the field's own making: a method that says what they are is not Django's."""
    owners = (next((base for base in type(field).__mro__ if name in vars(base)), None) for name in _VALUE_METHODS)
    return any(owner is not None and not owner.__module__.startswith("django.") for owner in owners)


def _by_value_to_string(field: Any) -> Callable[[Any], Any]:
    """A field that Django itself does not have is written as Django's serializers write it."""

    def written(value: Any) -> Any:
        if value is None:
            return None
        holder = type("_Holder", (), {field.attname: value})()
        return field.value_to_string(holder)

    return written


def _in_current_zone(value: Any) -> Any:
    """DRF shows aware datetimes in the current time zone."""
    from django.utils import timezone

    if isinstance(value, datetime.datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


def _keys_of(rows: Any) -> list[Any]:
    return [row.pk for row in rows.all()]


def _has_db_default(field: Any) -> bool:
    return getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
