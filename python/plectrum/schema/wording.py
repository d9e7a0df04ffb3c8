"""The table of errors in the words and codes of Django REST framework and of Django, translated by their catalogues.

The messages are taken from the classes that own them (``CharField.default_error_messages``, ``MaxLengthValidator``), so
they are those of the installed version and of the active language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..params import MISSING

if TYPE_CHECKING:
    from django.core.exceptions import ValidationError

__all__ = ["as_django", "as_drf"]


#: Errors by field, position or both.
_Tree = dict[str | int, Any]


class _Drf(NamedTuple):
    """A message of a serializer field: the class, its key, and our parameters under DRF's names."""

    field: str
    key: str
    renamed: Mapping[str, str] = {}


_TEXT_FORMATS = {
    "email": _Drf("EmailField", "invalid"),
    "url": _Drf("URLField", "invalid"),
    "slug": _Drf("SlugField", "invalid"),
    "unicode_slug": _Drf("SlugField", "invalid_unicode"),
}
_DRF: dict[str, _Drf] = {
    "missing": _Drf("Field", "required"),
    "bool_type": _Drf("BooleanField", "invalid"),
    "bool_parsing": _Drf("BooleanField", "invalid"),
    "int_type": _Drf("IntegerField", "invalid"),
    "int_parsing": _Drf("IntegerField", "invalid"),
    "int_from_float": _Drf("IntegerField", "invalid"),
    "int_parsing_size": _Drf("IntegerField", "max_string_length"),
    "float_type": _Drf("FloatField", "invalid"),
    "float_parsing": _Drf("FloatField", "invalid"),
    "finite_number": _Drf("FloatField", "invalid"),
    "greater_than": _Drf("IntegerField", "min_value", {"gt": "min_value"}),
    "greater_than_equal": _Drf("IntegerField", "min_value", {"ge": "min_value"}),
    "less_than": _Drf("IntegerField", "max_value", {"lt": "max_value"}),
    "less_than_equal": _Drf("IntegerField", "max_value", {"le": "max_value"}),
    "decimal_type": _Drf("DecimalField", "invalid"),
    "decimal_parsing": _Drf("DecimalField", "invalid"),
    "decimal_max_digits": _Drf("DecimalField", "max_digits"),
    "decimal_max_places": _Drf("DecimalField", "max_decimal_places", {"decimal_places": "max_decimal_places"}),
    "decimal_whole_digits": _Drf("DecimalField", "max_whole_digits", {"whole_digits": "max_whole_digits"}),
    "string_type": _Drf("CharField", "invalid"),
    "string_blank": _Drf("CharField", "blank"),
    "string_too_short": _Drf("CharField", "min_length"),
    "string_too_long": _Drf("CharField", "max_length"),
    "string_pattern_mismatch": _Drf("RegexField", "invalid"),
    "uuid_type": _Drf("UUIDField", "invalid"),
    "uuid_parsing": _Drf("UUIDField", "invalid"),
    "date_type": _Drf("DateField", "invalid"),
    "date_from_datetime_parsing": _Drf("DateField", "invalid"),
    "time_type": _Drf("TimeField", "invalid"),
    "time_parsing": _Drf("TimeField", "invalid"),
    "datetime_type": _Drf("DateTimeField", "invalid"),
    "datetime_parsing": _Drf("DateTimeField", "invalid"),
    "time_delta_type": _Drf("DurationField", "invalid"),
    "time_delta_parsing": _Drf("DurationField", "invalid"),
    "enum": _Drf("ChoiceField", "invalid_choice"),
    "literal_error": _Drf("ChoiceField", "invalid_choice"),
    "list_type": _Drf("ListField", "not_a_list", {"found": "input_type"}),
    "set_type": _Drf("ListField", "not_a_list", {"found": "input_type"}),
    "frozen_set_type": _Drf("ListField", "not_a_list", {"found": "input_type"}),
    "tuple_type": _Drf("ListField", "not_a_list", {"found": "input_type"}),
    "dict_type": _Drf("DictField", "not_a_dict", {"found": "input_type"}),
    "model_type": _Drf("Serializer", "invalid", {"found": "datatype"}),
    "too_short": _Drf("ListField", "min_length"),
    "too_long": _Drf("ListField", "max_length"),
}
_DRF_FORMATS = {
    "DateField": "YYYY-MM-DD",
    "TimeField": "hh:mm[:ss[.uuuuuu]]",
    "DateTimeField": "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]",
    "DurationField": "[DD] [HH:[MM:]]ss[.uuuuuu]",
}

#: Codes of Django's model validation where they are not the same as DRF's.
_DJANGO_CODES = {"enum": "invalid_choice", "literal_error": "invalid_choice", "multiple_of": "step_size"}


def as_drf(errors: Sequence[Mapping[str, Any]], data: object = MISSING) -> Any:
    """As ``serializer.errors``: dicts by field, lists of ``ErrorDetail``; ``non_field_errors`` for the whole."""
    from rest_framework.exceptions import ErrorDetail
    from rest_framework.settings import api_settings

    tree: _Tree = {}
    for error in errors:
        loc = list(error["loc"]) or [api_settings.NON_FIELD_ERRORS_KEY]
        code, message = _drf_words(error, _value_at(data, error["loc"]))
        place = _place(tree, loc[:-1])
        if place is not None:  # otherwise the value around it is wrong already; what is inside adds nothing
            told = place.setdefault(loc[-1], [])
            if isinstance(told, list):
                cast("Any", told).append(ErrorDetail(message, code))
    return tree


def _place(tree: _Tree, loc: Sequence[str | int]) -> _Tree | None:
    """The dict that a path of dicts leads to, made where there is none; ``None`` where the path ends in a list."""
    for step in loc:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return None
        tree = cast("_Tree", inner)
    return tree


def as_django(errors: Sequence[Mapping[str, Any]], data: object = MISSING) -> ValidationError:
    """As Django's ``ValidationError`` of a model or a form: lists by field, dotted where nested."""
    from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

    found: dict[str, list[ValidationError]] = {}
    for error in errors:
        field = ".".join(map(str, error["loc"])) or NON_FIELD_ERRORS
        found.setdefault(field, []).append(_django_error(error, _value_at(data, error["loc"])))
    return ValidationError(found)


def _value_at(data: Any, loc: Sequence[str | int]) -> Any:
    """What the input has there; ``MISSING`` where that is not known."""
    for step in loc:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return MISSING
    return data


def _drf_words(error: Mapping[str, Any], value: Any) -> tuple[str, str]:
    from rest_framework import serializers

    kind, params = error["type"], error.get("params", {})
    if params.get("found") == "null":
        return "null", str(serializers.Field.default_error_messages["null"])
    message = _TEXT_FORMATS.get(params.get("format", "")) if kind == "string_format" else _DRF.get(kind)
    if kind == "date_type" and params.get("found") == "datetime":
        message = _Drf("DateField", "datetime")
    if kind == "datetime_type" and params.get("found") == "date":
        message = _Drf("DateTimeField", "date")
    if message is None and kind == "string_format":  # an address: DRF leaves it to Django
        return "invalid", str(_format_error(params["format"], value).messages[0])
    if message is None:
        return _other_drf_words(kind, error)
    template = str(getattr(serializers, message.field).default_error_messages[message.key])
    values = {**params, **{new: params.get(old, "") for old, new in message.renamed.items()}}
    values.setdefault("input", "" if value is MISSING else value)
    values.setdefault("format", "")
    values["format"] = _DRF_FORMATS.get(message.field, values["format"])
    code = "invalid" if message.key == "invalid_unicode" else message.key
    return code, template.format_map(_Lenient(values))


def _other_drf_words(kind: str, error: Mapping[str, Any]) -> tuple[str, str]:
    """Codes that DRF takes from Django's validators and from its own."""
    from django.core import validators
    from rest_framework.validators import UniqueValidator

    if kind == "string_nul":
        return validators.ProhibitNullCharactersValidator.code, str(validators.ProhibitNullCharactersValidator.message)
    if kind == "multiple_of":
        limit = error.get("params", {}).get("multiple_of")
        return "step_size", str(validators.StepValueValidator.message) % {"limit_value": limit}
    if kind == "unique":
        return "unique", str(UniqueValidator.message)
    codes = {
        "unique_together": "unique",
        "string_unicode": "surrogate_characters_not_allowed",
        "json_invalid": "parse_error",
    }
    return codes.get(kind, "invalid" if kind == "value_error" else kind), error["msg"]


class _Lenient(dict[str, Any]):
    """Leaves out what a message of a newer or older version asks for and we do not know."""

    def __missing__(self, key: str) -> str:
        return ""


def _django_error(error: Mapping[str, Any], value: Any) -> ValidationError:
    from django.core.exceptions import ValidationError
    from django.db import models

    kind, params = error["type"], error.get("params", {})
    shown = "" if value is MISSING else value
    if kind == "missing":
        from django.forms import Field

        return ValidationError(str(Field.default_error_messages["required"]), code="required")
    if params.get("found") == "null":
        return ValidationError(str(models.Field.default_error_messages["null"]), code="null")
    if kind == "string_blank":
        return ValidationError(str(models.Field.default_error_messages["blank"]), code="blank")
    if kind in ("enum", "literal_error"):
        text = models.Field.default_error_messages["invalid_choice"]
        return ValidationError(text, code="invalid_choice", params={"value": shown})
    made = _validator_error(kind, params, shown) or _parse_error(kind, shown)
    return made or ValidationError(error["msg"], code=_DJANGO_CODES.get(kind, _plain_code(kind)))


def _plain_code(kind: str) -> str:
    return "invalid" if kind.endswith(("_type", "_parsing", "_format", "value_error")) else kind


#: Our code → the validator of ``django.core.validators`` that owns the message, and our parameter for its limit.
_LIMITS = {
    "string_too_long": ("MaxLengthValidator", "max_length"),
    "string_too_short": ("MinLengthValidator", "min_length"),
    "too_long": ("MaxLengthValidator", "max_length"),
    "too_short": ("MinLengthValidator", "min_length"),
    "greater_than_equal": ("MinValueValidator", "ge"),
    "greater_than": ("MinValueValidator", "gt"),
    "less_than_equal": ("MaxValueValidator", "le"),
    "less_than": ("MaxValueValidator", "lt"),
    "multiple_of": ("StepValueValidator", "multiple_of"),
}
_DIGITS = {
    "decimal_max_digits": ("max_digits", "max_digits"),
    "decimal_max_places": ("max_decimal_places", "decimal_places"),
    "decimal_whole_digits": ("max_whole_digits", "whole_digits"),
}
_FORMATS = {
    "email": "validate_email",
    "slug": "validate_slug",
    "unicode_slug": "validate_unicode_slug",
}


def _validator_error(kind: str, params: Mapping[str, Any], shown: Any) -> ValidationError | None:
    from django.core import validators
    from django.core.exceptions import ValidationError

    if kind in _LIMITS:
        name, limit = _LIMITS[kind]
        owner = getattr(validators, name)
        show = len(shown) if hasattr(shown, "__len__") else shown
        values = {"limit_value": params.get(limit), "show_value": show, "value": shown}
        return ValidationError(owner.message, code=owner.code, params=values)
    if kind in _DIGITS:
        code, name = _DIGITS[kind]
        message = validators.DecimalValidator.messages[code]
        return ValidationError(message, code=code, params={"max": params.get(name), "value": shown})
    if kind == "string_nul":
        owner = validators.ProhibitNullCharactersValidator
        return ValidationError(owner.message, code=owner.code, params={"value": shown})
    if kind == "string_format":
        return _format_error(params["format"], shown)
    if kind == "string_pattern_mismatch":
        return ValidationError(validators.RegexValidator.message, code="invalid", params={"value": shown})
    return None


def _format_error(name: str, shown: Any) -> ValidationError:
    from django.core import validators
    from django.core.exceptions import ValidationError
    from django.utils.translation import gettext_lazy

    if name == "url":
        return ValidationError(validators.URLValidator.message, code="invalid", params={"value": shown})
    if name in _FORMATS:
        owner = getattr(validators, _FORMATS[name])
        return ValidationError(owner.message, code=owner.code, params={"value": shown})
    protocol = {"ipv4": gettext_lazy("IPv4"), "ipv6": gettext_lazy("IPv6")}.get(name, gettext_lazy("IPv4 or IPv6"))
    message = gettext_lazy("Enter a valid %(protocol)s address.")
    return ValidationError(message, code="invalid", params={"protocol": protocol, "value": shown})


#: Our prefix → the model field whose "invalid" message stands for it.
_MODEL_FIELDS = {
    "bool": "BooleanField",
    "int": "IntegerField",
    "float": "FloatField",
    "decimal": "DecimalField",
    "uuid": "UUIDField",
    "date_": "DateField",
    "datetime": "DateTimeField",
    "time_delta": "DurationField",
    "time": "TimeField",
}


def _parse_error(kind: str, shown: Any) -> ValidationError | None:
    from django.core.exceptions import ValidationError
    from django.db import models

    if kind == "json_invalid":
        return None
    for prefix, name in _MODEL_FIELDS.items():
        if kind.startswith(prefix):
            message = getattr(models, name).default_error_messages["invalid"]
            return ValidationError(message, code="invalid", params={"value": shown})
    return None
