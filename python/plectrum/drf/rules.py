"""The validators of a field, told to Rust: those whose answer it knows."""

from __future__ import annotations

from typing import Any

import rest_framework.fields
from django.core import validators as django
from rest_framework import validators as drf

from .describe import Description
from .values import class_of, is_exactly, state_of

__all__ = ["forced_validators", "rules_of"]

_VALIDATORS: Any = vars(rest_framework.fields.Field)["validators"]
_URL: Any = django.URLValidator
_CLEAN = (django.ProhibitNullCharactersValidator, drf.ProhibitSurrogateCharactersValidator)
_CLEAN_TEXT: Description = ("clean",)
_LIMITS: dict[type, str] = {
    django.MaxLengthValidator: "max length",
    django.MinLengthValidator: "min length",
    django.MaxValueValidator: "max",
    django.MinValueValidator: "min",
}
_SLUGS = {r"^[-a-zA-Z0-9_]+$", r"^[-a-zA-Z0-9_]+\Z", r"^[-\w]+\Z"}
# What the classes above and below do, as it was before anybody could patch them.
_CALLS: dict[Any, object] = {
    kind: kind.__call__
    for kind in (*_CLEAN, *_LIMITS, django.EmailValidator, django.URLValidator, django.RegexValidator)
}
# What an instance may hold that changes no answer.
_MESSAGES = {"_constructor_args", "code", "message"}


def forced_validators(field: Any) -> list[Any] | None:
    """A field's validators, which are made when first asked for; ``None`` where it keeps them in a way of its own."""
    if getattr(class_of(field), "validators", None) is not _VALIDATORS:
        return None
    found: Any = field.validators
    return found if is_exactly(found, list) else None


def rules_of(field: Any) -> tuple[list[Any], list[Description] | None]:
    """The field's list of validators, and what they are; ``None`` where one of them must be asked itself."""
    found = forced_validators(field)
    if found is None:
        return [], None
    rules = [_rule(validator) for validator in found]
    known = [rule for rule in rules if rule is not None and rule != _CLEAN_TEXT]
    if _CLEAN_TEXT in rules:
        known.append(_CLEAN_TEXT)  # two validators prohibit characters; one look is enough
    return found, known if all(rules) else None


def _rule(validator: Any) -> Description | None:
    kind: Any = class_of(validator)
    if kind not in _CALLS or kind.__call__ is not _CALLS[kind] or getattr(validator, "requires_context", False):
        return None
    if kind in _CLEAN:
        return _CLEAN_TEXT
    if kind in _LIMITS:
        return _limit(kind, validator.limit_value)
    if kind is django.EmailValidator:
        return ("email",) if state_of(validator).keys() <= _MESSAGES else None
    return _pattern(kind, validator)


def _limit(kind: type, limit: Any) -> Description | None:
    if callable(limit):
        return None
    if kind in (django.MaxLengthValidator, django.MinLengthValidator) and (type(limit) is not int or limit < 0):
        return None
    return (_LIMITS[kind], limit)


def _pattern(kind: Any, validator: Any) -> Description | None:
    if kind is django.URLValidator:
        usual = validator.schemes is _URL.schemes and validator.regex.pattern == _URL.regex.pattern
        return ("url",) if usual and validator.regex.flags == _URL.regex.flags else None
    if validator.regex.pattern in _SLUGS and not validator.inverse_match:
        return ("slug",)
    return ("pattern", validator.regex.search, bool(validator.inverse_match))
