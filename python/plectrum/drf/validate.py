"""Serializer instance → its compiled form for input, made when it begins to pay."""

from __future__ import annotations

import functools
from typing import Any, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import ValidationError
from rest_framework.fields import SkipField, empty, get_error_detail
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer, as_serializer_error

from .._core import InternalRows, Validation
from . import kept
from .accept import accept, asks, register
from .compile import fields_of
from .describe import Description, own
from .rules import forced_validators
from .values import class_of, is_exactly, only_ours, state_of

__all__ = [
    "INTERNAL",
    "INTERNAL_LIST",
    "ROWS",
    "compiled",
    "current",
    "finish",
    "go_on",
    "obstacle",
    "ours",
    "rows",
    "take_over",
]

# DRF's own, as they were before anybody could patch them.
_Serializer = cast("Any", Serializer)
_List = cast("Any", ListSerializer)
INTERNAL: Any = state_of(_Serializer)["to_internal_value"]
INTERNAL_LIST: Any = state_of(_List)["to_internal_value"]
_RUN = _Serializer.run_validation
_VALIDATE: object = _Serializer.validate
_DESCRIPTORS: dict[str, Any] = {
    name: getattr(_Serializer, name) for name in ("fields", "_writable_fields", "validators")
}
_METHODS: dict[str, Any] = {
    name: getattr(_Serializer, name, None)
    for name in ("run_validation", "validate_empty_values", "run_validators", "set_value", "_read_only_defaults")
}
_CHILD = _List.run_child_validation
# What stands in for it.
ROWS = InternalRows()
# Fields changed by user code again and again are not worth compiling.
_MAX_COMPILATIONS = 3

_ours: set[object] = {INTERNAL}


def ours(method: Any) -> Any:
    """Marks a method that reads as ``Serializer.to_internal_value`` does."""
    _ours.add(method)
    return method


def compiled(serializer: Any) -> Validation | None:
    """The compiled form, for many records; ``None`` where each is the serializer's own business."""
    return None if obstacle(serializer) else current(serializer, first=False)


def obstacle(serializer: Any) -> str:
    """The override that makes each record the serializer's own business, as a clause; empty where there is none."""
    kind = class_of(serializer)
    for name, drfs in _DESCRIPTORS.items():
        if getattr(kind, name, None) is not drfs:
            return f"{kind.__name__}.{name} is not DRF's own"
    for name, drfs in _METHODS.items():
        if drfs is None or own(serializer, name) is not drfs:
            return f"{kind.__name__}.{name} is not DRF's own"
    if "to_internal_value" in state_of(serializer) or not _reads_as_drf(kind.__mro__):
        return f"{kind.__name__}.to_internal_value is not DRF's own"
    return "it is read-only" if serializer.read_only else ""


def current(serializer: Any, after: type | None = None, *, first: bool = True) -> Validation | None:
    """The compiled form of the serializer as it is now; ``None`` where DRF is to validate.

    Parameters:
        after: the class whose ``to_internal_value`` asks; only what it would delegate to must be DRF's.
        first: whether this may be the serializer's only record, as in a detail view.
    """
    return kept.current(serializer, "input", functools.partial(_compile, serializer, after), first=first)


def _reads_as_drf(mro: tuple[type, ...]) -> bool:
    return only_ours(mro, "to_internal_value", _Serializer, _ours)


def _compile(serializer: Any, after: type | None) -> Validation | None:
    kind = class_of(serializer)
    mro = kind.__mro__ if after is None else kind.__mro__[kind.__mro__.index(after) + 1 :]
    usual = getattr(kind, "_writable_fields", None) is _DESCRIPTORS["_writable_fields"]
    set_value = own(serializer, "set_value")
    if not usual or set_value is None or set_value is not _METHODS["set_value"] or not _reads_as_drf(mro):
        return None
    fields = fields_of(serializer)
    if fields is None:
        return None
    writable = [field for field in fields if not field.read_only]
    steps = [_step(serializer, field) for field in writable]
    for field in writable:
        if not isinstance(field, BaseSerializer):
            forced_validators(field)
    defaults = any(field.read_only and field.default is not empty for field in fields)
    has_tail = defaults or own(serializer, "validate") is not _VALIDATE
    return Validation(serializer, fields, steps, has_tail)


def _step(serializer: Any, field: Any) -> tuple[Any, ...]:
    name = field.field_name
    method = getattr(serializer, "validate_" + name, None)
    return (field, name, method, field.source_attrs, asks(field), accept(field))


def rows(serializer: Any, data: Any) -> list[Any] | bool:
    """The rows of ``ListSerializer.to_internal_value``, one crossing for all, ahead of DRF's own.

    Returns:
        The valid rows, where all are. Otherwise DRF is to collect the errors: ``True`` where
        ``serializer.run_child_validation`` was made to repeat what came of the rows so far.
    """
    if not is_exactly(data, list) or not data or not _is_plain_list(serializer):
        return False
    valid: list[Any] = []
    invalid: dict[int, Exception] = {}
    position = 0
    for _ in range(_MAX_COMPILATIONS):
        found = compiled(serializer.child)
        if found is None:
            break
        position = found.run_many(data, position, valid, invalid)
        if position == len(data):
            break
    if position == len(data) and not invalid:
        return valid
    if position > 0:
        serializer.run_child_validation = _repeating(serializer, position, valid, invalid)
    return position > 0


def take_over(serializer: Any) -> None:
    """Makes one list serializer validate its rows by :func:`rows`, where it would have as DRF does."""
    if getattr(class_of(serializer), "to_internal_value", None) is INTERNAL_LIST:
        serializer.to_internal_value = functools.partial(ROWS, serializer)


def _is_plain_list(serializer: Any) -> bool:
    if own(serializer, "run_child_validation") is not _CHILD:
        return False
    return getattr(serializer, "max_length", None) is None and getattr(serializer, "min_length", None) is None


def _repeating(serializer: Any, position: int, valid: list[Any], invalid: dict[int, Exception]) -> Any:
    done, passed = iter(range(position)), iter(valid)

    def outcome(row: Any) -> Any:
        index = next(done, None)
        if index is None:
            return _CHILD(serializer, row)
        if index in invalid:
            raise invalid[index]
        return next(passed)

    return outcome


def finish(serializer: Any, value: Any) -> Any:
    """The end of ``Serializer.run_validation``, past ``to_internal_value``."""
    try:
        serializer.run_validators(value)
        value = serializer.validate(value)
        if __debug__ and value is None:  # no `assert`: pytest adds to what those of plugins say
            raise AssertionError(".validate() should return the validated data")
    except (ValidationError, DjangoValidationError) as error:
        raise ValidationError(detail=as_serializer_error(error)) from error
    return value


def go_on(serializer: Any, data: Any, done: list[str], values: dict[str, Any], errors: dict[str, Any] | None) -> None:
    """``Serializer.to_internal_value`` for the fields that are left, after user code changed one of them.

    Parameters:
        done: names of the fields that were validated.
        values: what they gave; the others are added.
        errors: what was wrong with them.
    """
    errors = errors or {}
    for field in serializer._writable_fields:
        name = field.field_name
        if name in done:
            continue
        method = getattr(serializer, "validate_" + name, None)
        raw = field.get_value(data)
        try:
            value = field.run_validation(raw)
            if method is not None:
                value = method(value)
        except ValidationError as error:
            errors[name] = error.detail
        except DjangoValidationError as error:
            errors[name] = get_error_detail(error)
        except SkipField:
            pass
        else:
            serializer.set_value(values, field.source_attrs, value)
    if errors:
        raise ValidationError(errors)


def _nested(serializer: Any) -> Description:
    reason = obstacle(serializer)
    return ("python", reason, "leave it to DRF") if reason else ("record", serializer)


register(_RUN, _nested)
