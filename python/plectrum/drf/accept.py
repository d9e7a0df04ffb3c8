"""What a DRF field does on input, told to Rust.

As in :mod:`plectrum.drf.describe`, a field is known by the functions its class answers with. Rust accepts what is
plainly valid by them; every other value goes to the field's own ``run_validation``, so that errors are DRF's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rest_framework.fields
import rest_framework.relations
import rest_framework.serializers
from rest_framework.settings import api_settings

from .describe import CHOICES_ARE_LISTS, Description, overridden, own, python
from .rules import rules_of
from .values import class_of, is_exactly, zone_for_input

__all__ = ["accept", "asks", "register"]

# Looked at, not called: their types say nothing here.
serializers: Any = rest_framework.serializers
fields: Any = rest_framework.fields
relations: Any = rest_framework.relations
Field = fields.Field

_READERS: dict[object, Callable[[Any], Description]] = {}
# `get_value` of all of these is `data.get(field_name, empty)` for a dict.
_GETS = {
    kind.get_value
    for kind in (
        Field,
        fields.DictField,
        fields.JSONField,
        fields.ListField,
        fields.MultipleChoiceField,
        relations.ManyRelatedField,
        serializers.Serializer,
        serializers.ListSerializer,
    )
}
# How a field goes about it, by name: what DRF has there.
_STEPS: tuple[tuple[str, set[object]], ...] = (
    ("validate_empty_values", {Field.validate_empty_values, fields.DecimalField.validate_empty_values}),
    ("get_default", {Field.get_default}),
    ("run_validators", {Field.run_validators}),
)
_RUN = Field.run_validation
_RUN_TEXT = fields.CharField.run_validation
_CHILDREN = {fields.ListField.run_child_validation, fields.DictField.run_child_validation}


def register(method: Any, read: Callable[[Any], Description]) -> None:
    """Names the reader of fields whose ``to_internal_value`` (of serializers: ``run_validation``) is ``method``."""
    _READERS[method] = read


def asks(field: Any) -> bool:
    """Whether only the field's ``get_value`` knows where its input is."""
    return own(field, "get_value") not in _GETS


def accept(field: Any) -> Description:
    """How a bound, writable field validates."""
    read = _reader(field)
    if read[0] == "python":
        return read
    for name, drfs in _STEPS:
        if own(field, name) not in drfs and not (name == "run_validators" and read[0] == "record"):
            return overridden(field, name)
    takes_null = bool(field.allow_null) and field.source != "*"
    return ("known", _missing(field), takes_null, read, (([], []) if read[0] == "record" else rules_of(field)))


def _reader(field: Any) -> Description:
    run = own(field, "run_validation")
    if run in _READERS:
        return _READERS[run](field)
    if run not in (_RUN, _RUN_TEXT):
        return _unknown(field, "run_validation")
    method = own(field, "to_internal_value")
    read = None if method is None else _READERS.get(method)
    if read is None:
        return _unknown(field, "to_internal_value")
    found = read(field)
    if (found[0] == "text") != (run is _RUN_TEXT):
        return overridden(field, "run_validation")
    return found


def _unknown(field: Any, name: str) -> Description:
    if not getattr(own(field, name), "__module__", "").startswith("rest_framework."):
        return overridden(field, name)
    if isinstance(field, (relations.RelatedField, relations.ManyRelatedField)):
        return python("DRF looks its object up in the database")
    return python(f"{class_of(field).__name__} is not read in Rust")


def _missing(field: Any) -> Description:
    if field.required or (callable(field.default) and field.default is not fields.empty):
        return ("python",)
    return ("skip",) if field.default is fields.empty else ("value", field.default)


def _always(*description: Any) -> Callable[[Any], Description]:
    return lambda field: description


def _text(field: Any) -> Description:
    return ("text", bool(field.trim_whitespace), bool(field.allow_blank))


def _integer(field: Any) -> Description:
    usual = field.MAX_STRING_LENGTH == _MAX_STRING and field.re_decimal is _RE_DECIMAL
    return ("integer",) if usual else python("its MAX_STRING_LENGTH or re_decimal is its own", "leave both to DRF")


def _boolean(field: Any) -> Description:
    true, false = field.TRUE_VALUES, field.FALSE_VALUES
    usual = True in true and False in false and False not in true and True not in false
    if usual and own(field, "_lower_if_str") is _LOWER:
        return ("boolean",)
    return python("its TRUE_VALUES or FALSE_VALUES are not the usual ones", "keep True and False in them")


def _decimal(field: Any) -> Description:
    usual = own(field, "quantize") is _QUANTIZE and own(field, "validate_precision") is _PRECISION
    if field.localize or not usual or field.MAX_STRING_LENGTH != _MAX_STRING:
        return python("it localizes, quantizes or limits digits in its own way", "leave localize off")
    return ("decimal", field.decimal_places, field.max_digits, field.max_whole_digits)


def _is_iso_first(field: Any, default: Any) -> bool:
    formats = getattr(field, "input_formats", default)
    first = next(iter(formats), None)
    return isinstance(first, str) and first.lower() == "iso-8601"


_NOT_ISO = python("its first input format is not ISO 8601", "put iso-8601 first in its input formats")


def _datetime(field: Any) -> Description:
    if own(field, "enforce_timezone") is not _ENFORCE or own(field, "default_timezone") is not _DEFAULT_ZONE:
        return python(f"{class_of(field).__name__} has a time zone rule of its own", "use default_timezone=")
    if not _is_iso_first(field, api_settings.DATETIME_INPUT_FORMATS):
        return _NOT_ISO
    return ("datetime in", zone_for_input(field.timezone)) if hasattr(field, "timezone") else ("datetime",)


def _date(field: Any) -> Description:
    return ("date",) if _is_iso_first(field, api_settings.DATE_INPUT_FORMATS) else _NOT_ISO


def _time(field: Any) -> Description:
    return ("time",) if _is_iso_first(field, api_settings.TIME_INPUT_FORMATS) else _NOT_ISO


def _choice(field: Any) -> Description:
    choices: object = field.choice_strings_to_values
    if not is_exactly(choices, dict):
        return python("its choices are not kept in a dict", "leave choices to DRF's field")
    return ("choice", field.choice_strings_to_values, bool(field.allow_blank))


def _choices(field: Any) -> Description:
    found = _choice(field)
    if not CHOICES_ARE_LISTS:
        return python("this version of DRF gives a set")
    # "" is then a choice of its own.
    if found[0] == "choice" and field.allow_blank:
        return python("it allows blank items", "leave allow_blank off")
    return ("choices", found[1], bool(field.allow_empty)) if found[0] == "choice" else found


def _children(kind: str) -> Callable[[Any], Description]:
    def describe(field: Any) -> Description:
        if own(field, "run_child_validation") not in _CHILDREN:
            return overridden(field, "run_child_validation")
        child = python("it is read-only") if field.child.read_only else accept(field.child)
        return (kind, field.child, child, bool(field.allow_empty))

    return describe


def _json(field: Any) -> Description:
    if field.binary or field.encoder is not None:
        return python("it is binary or has an encoder", "leave binary and encoder off")
    return ("json",)


_MAX_STRING = fields.IntegerField.MAX_STRING_LENGTH
_RE_DECIMAL: object = fields.IntegerField.re_decimal
_LOWER: object = getattr(fields.BooleanField, "_lower_if_str", None)
_QUANTIZE: object = fields.DecimalField.quantize
_PRECISION: object = fields.DecimalField.validate_precision
_ENFORCE: object = fields.DateTimeField.enforce_timezone
_DEFAULT_ZONE: object = fields.DateTimeField.default_timezone

_DRF: tuple[tuple[Any, Callable[[Any], Description]], ...] = (
    (fields.BooleanField, _boolean),
    (fields.CharField, _text),
    (fields.UUIDField, _always("uuid")),
    (fields.IntegerField, _integer),
    (fields.FloatField, _always("float")),
    (fields.DecimalField, _decimal),
    (fields.DateTimeField, _datetime),
    (fields.DateField, _date),
    (fields.TimeField, _time),
    (fields.DurationField, _always("duration")),
    (fields.ChoiceField, _choice),
    (fields.MultipleChoiceField, _choices),
    (fields.ListField, _children("items")),
    (fields.DictField, _children("members")),
    (class_of(fields.ListField().child), _always("any")),
    (fields.HiddenField, _always("any")),
    (fields.JSONField, _json),
)
for _kind, _read in _DRF:
    register(_kind.to_internal_value, _read)
