"""What a DRF field does on output, told to Rust.

A field is known by the functions its class answers with, not by its class: a subclass that only validates
differently is as good as its parent, and a patched class is not itself any more. What is not known is
``("python", reason, remedy)``: Rust reads the first of these, :mod:`plectrum.drf.explain` the others.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import rest_framework.fields
import rest_framework.relations
from rest_framework.settings import api_settings

from .values import class_of, is_exactly, state_of, zone

__all__ = ["CHOICES_ARE_LISTS", "Description", "describe", "overridden", "own", "python", "register"]

Description = tuple[Any, ...]

# Looked at, not called: their types say nothing here.
fields: Any = rest_framework.fields
relations: Any = rest_framework.relations

_CONVERTERS: dict[object, Callable[[Any], Description]] = {}
# DRF's own functions, as they were before anybody could patch them.
_GET = fields.Field.get_attribute
_GET_RELATED = relations.RelatedField.get_attribute
_WHOLE_OBJECT = (
    relations.RelatedField.use_pk_only_optimization,
    relations.HyperlinkedIdentityField.use_pk_only_optimization,
)
_KEY_ONLY = relations.PrimaryKeyRelatedField.use_pk_only_optimization
_KEY = relations.PrimaryKeyRelatedField.to_representation
_GET_MANY = relations.ManyRelatedField.get_attribute


def python(reason: str, remedy: str = "") -> Description:
    """A field that is called as DRF calls it.

    Parameters:
        reason: why, as a clause.
        remedy: what would let Rust take it over, as an imperative clause; empty where nothing would.
    """
    return ("python", reason, remedy)


def overridden(field: Any, name: str) -> Description:
    """A field that answers ``name`` with a function that is not DRF's."""
    return python(f"{class_of(field).__name__}.{name} is not DRF's own", f"leave {name} to DRF's field")


def register(method: Any, describe: Callable[[Any], Description]) -> None:
    """Names the description of fields whose ``to_representation`` is ``method``."""
    _CONVERTERS[method] = describe


def describe(field: Any) -> tuple[Description, Description]:
    """How a bound field finds its value, and how it represents it."""
    return _access(field), _convert(field)


def own(field: Any, name: str) -> object:
    """The function that answers ``field.name(…)``; ``None`` where only this instance knows."""
    kind = class_of(field)
    if kind.__getattribute__ is not object.__getattribute__:
        return None
    given = state_of(field).get(name)
    if given is None:
        return getattr(kind, name, None)
    # As `take_over` sets it.
    return given.func if isinstance(given, functools.partial) and given.args == (field,) else None


def _access(field: Any) -> Description:
    get = own(field, "get_attribute")
    if get is _GET:
        return ("path", field.source_attrs)
    if get is _GET_MANY:
        return ("asked",)
    if get is not _GET_RELATED:
        return overridden(field, "get_attribute")
    optimized = own(field, "use_pk_only_optimization")
    if optimized in _WHOLE_OBJECT:
        return ("path", field.source_attrs)
    plain = own(field, "to_representation") is _KEY and field.pk_field is None
    if optimized is _KEY_ONLY and plain and len(field.source_attrs) == 1:
        return ("key", field.source_attrs[0])
    return python("only DRF knows how it takes the key of its related object", "use a plain PrimaryKeyRelatedField")


def _convert(field: Any) -> Description:
    method = own(field, "to_representation")
    found = None if method is None else _CONVERTERS.get(method)
    if found is not None:
        return found(field)
    if method in _DRFS_OWN:
        return python(f"{class_of(field).__name__} has no form in Rust")
    return overridden(field, "to_representation")


def _always(*description: Any) -> Callable[[Any], Description]:
    return lambda field: description


def _boolean(field: Any) -> Description:
    true, false = field.TRUE_VALUES, field.FALSE_VALUES
    usual = True in true and False in false and False not in true and True not in false
    same = own(field, "_lower_if_str") is _LOWER
    if usual and same:
        return ("boolean",)
    return python("its TRUE_VALUES or FALSE_VALUES are not the usual ones", "keep True and False in them")


def _big_integer(field: Any) -> Description:
    as_text = getattr(field, "coerce_to_string", api_settings.COERCE_BIGINT_TO_STRING)
    return ("text",) if as_text else ("integer",)


def _decimal(field: Any) -> Description:
    if field.localize or getattr(field, "normalize_output", False) or own(field, "quantize") is not _QUANTIZE:
        return python("it localizes, normalizes or quantizes in its own way", "leave localize and normalize_output off")
    as_text = bool(getattr(field, "coerce_to_string", api_settings.COERCE_DECIMAL_TO_STRING))
    return ("decimal", field.decimal_places, field.max_digits, as_text)


def _formatted(field: Any, default: Any, moment: Description, layout: re.Pattern[str]) -> Description:
    """A date or time as the field is to show it."""
    chosen: Any = getattr(field, "format", default)
    if chosen is None:
        return ("unformatted",)
    if isinstance(chosen, str) and chosen.lower() == "iso-8601":
        return moment
    if is_exactly(chosen, str) and layout.fullmatch(chosen):
        return ("formatted", moment, chosen)
    return _UNUSUAL


def _datetime(field: Any) -> Description:
    if own(field, "enforce_timezone") is not _ENFORCE or own(field, "default_timezone") is not _DEFAULT_ZONE:
        return python(f"{class_of(field).__name__} has a time zone rule of its own", "use default_timezone=")
    moment = ("datetime in", zone(field.timezone)) if hasattr(field, "timezone") else ("datetime",)
    return _formatted(field, api_settings.DATETIME_FORMAT, moment, _DATETIME)


def _date(field: Any) -> Description:
    return _formatted(field, api_settings.DATE_FORMAT, ("date",), _DATE)


def _time(field: Any) -> Description:
    return _formatted(field, api_settings.TIME_FORMAT, ("time",), _TIME)


def _duration(field: Any) -> Description:
    # DRF before 3.17 knows no format but Django's.
    chosen = getattr(field, "format", getattr(api_settings, "DURATION_FORMAT", "django"))
    if isinstance(chosen, str) and chosen.lower() == "django":
        return ("duration",)
    return python("its format is not Django's", 'use format="django"')


def _uuid(field: Any) -> Description:
    if field.uuid_format == "hex_verbose":
        return ("uuid",)
    return python(f"its format is {field.uuid_format!r}", 'use format="hex_verbose"')


def _choice(field: Any) -> Description:
    choices: object = field.choice_strings_to_values
    if type(choices) is dict:
        return ("choice", field.choice_strings_to_values)
    return python("its choices are not kept in a dict", "leave choices to DRF's field")


def _choices(field: Any) -> Description:
    found = _choice(field)
    if found[0] == "choice" and not CHOICES_ARE_LISTS:
        return python("this version of DRF gives a set")
    return ("choices", found[1]) if found[0] == "choice" else found


def _key(field: Any) -> Description:
    if field.pk_field is not None:
        return python("its pk_field represents the key", "leave pk_field off")
    return ("attributes", ["pk"])


def _related(field: Any) -> Description:
    return ("related", field.child_relation, _convert(field.child_relation))


def _json(field: Any) -> Description:
    return python("it is binary", "leave binary off") if field.binary else ("same",)


def _method(field: Any) -> Description:
    return ("method", field.parent, field.method_name)


def _slug(field: Any) -> Description:
    return ("attributes", field.slug_field.replace("__", ".").split("."))


def _items(field: Any) -> Description:
    return ("items", field.child, _convert(field.child))


def _members(field: Any) -> Description:
    return ("members", field.child, _convert(field.child))


_UNUSUAL = python("its format has more than digits of date and time", "use %Y %m %d %H %M %S %f, or iso-8601")
# Text that JSON shows as it is, and directives that are digits on every platform and in every language.
_DATETIME = re.compile(r"(?:[ !#$&-\[\]-~]|%[YmdHMSf%])*")
_DATE = re.compile(r"(?:[ !#$&-\[\]-~]|%[Ymd%])*")
_TIME = re.compile(r"(?:[ !#$&-\[\]-~]|%[HMSf%])*")
#: Older DRF takes and gives sets.
CHOICES_ARE_LISTS = isinstance(fields.MultipleChoiceField(choices=[]).to_representation([]), list)
_LOWER: object = getattr(fields.BooleanField, "_lower_if_str", None)
_QUANTIZE: object = fields.DecimalField.quantize
_ENFORCE: object = fields.DateTimeField.enforce_timezone
_DEFAULT_ZONE: object = fields.DateTimeField.default_timezone

_DRF: tuple[tuple[Any, Callable[[Any], Description]], ...] = (
    (fields.BooleanField, _boolean),
    (fields.CharField, _always("text")),
    (fields.UUIDField, _uuid),
    (fields.IntegerField, _always("integer")),
    (fields.FloatField, _always("float")),
    (fields.DecimalField, _decimal),
    (fields.DateTimeField, _datetime),
    (fields.DateField, _date),
    (fields.TimeField, _time),
    (fields.DurationField, _duration),
    (fields.ChoiceField, _choice),
    (fields.MultipleChoiceField, _choices),
    (fields.ListField, _items),
    (class_of(fields.ListField().child), _always("same")),
    (fields.DictField, _members),
    (fields.JSONField, _json),
    (fields.ReadOnlyField, _always("same")),
    (fields.SerializerMethodField, _method),
    (relations.SlugRelatedField, _slug),
    (relations.StringRelatedField, _always("text")),
    (relations.PrimaryKeyRelatedField, _key),
    (relations.ManyRelatedField, _related),
)
for _kind, _description in _DRF:
    register(_kind.to_representation, _description)
if hasattr(fields, "BigIntegerField"):  # since DRF 3.17
    register(fields.BigIntegerField.to_representation, _big_integer)
# Those that are known to stay in Python.
_DRFS_OWN = {
    kind.to_representation
    for kind in (
        fields.Field,
        fields.FileField,
        fields.ModelField,
        relations.HyperlinkedRelatedField,
    )
}
