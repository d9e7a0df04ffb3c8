"""Parts of what is written, by the options of ``pydantic.BaseModel.model_dump`` that FastAPI has for answers.

Source: pydantic, "Serialization"; FastAPI, ``response_model_include`` and its kin.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Union, cast, get_args, get_origin

from ..nodes import compiled_among
from ..params import MISSING
from ..structs import StructField, fields_of

__all__ = ["Part"]

#: Names or positions: a set of them, or a mapping to what is meant within each; ``None`` means nothing in particular.
_Names = Any


@dataclasses.dataclass(frozen=True)
class Part:
    """Which part of a value is written, and under which names.

    Parameters:
        include, exclude: fields by their names in Python, items by position or ``"__all__"``, nested.
        by_alias: under the names of the wire.
        exclude_unset: fields that the value was not given.
        exclude_defaults: fields that have their defaults.
        exclude_none: fields that are ``None``.
    """

    include: _Names = None
    exclude: _Names = None
    by_alias: bool = True
    exclude_unset: bool = False
    exclude_defaults: bool = False
    exclude_none: bool = False

    @classmethod
    def of(cls, options: Any) -> Part | None:
        """Those of pydantic's ``SerializationInfo``; ``None`` where they ask for the whole."""
        part = cls(**{field.name: getattr(options, field.name) for field in dataclasses.fields(cls)})
        # Without a word on it, as in a plain `model_dump()`, it is the wire's names that are written.
        part = part if part.by_alias is False else dataclasses.replace(part, by_alias=True)
        return None if part == cls() else part

    def taken(self, annotation: Any, shown: Any, value: Any, given: Any = MISSING) -> Any:
        """What is left.

        Parameters:
            annotation: the value's type.
            shown: all of it, as it is written.
            value: what was written.
            given: what the value was made of, where that is known; tells which fields were set.
        """
        return self._taken(annotation, shown, value, value if given is MISSING else given, self.include, self.exclude)

    def _taken(self, annotation: Any, shown: Any, value: Any, given: Any, include: _Names, exclude: _Names) -> Any:
        annotation = _of_value(annotation, value)
        if isinstance(shown, dict):
            fields = _fields(annotation)
            if fields is not None:
                return self._record(fields, cast("dict[str, Any]", shown), value, given, include, exclude)
        elif not isinstance(shown, list) or not isinstance(value, (list, tuple)):
            return cast("Any", shown)
        return self._container(annotation, shown, value, given, include, exclude)

    def _record(
        self, fields: list[StructField], shown: dict[str, Any], value: Any, given: Any, include: _Names, exclude: _Names
    ) -> dict[str, Any]:
        left: dict[str, Any] = {}
        for field in fields:
            wanted = _within(field.name, include, exclude)
            if field.key not in shown or wanted is None:
                continue
            part, inner, given_inner = shown[field.key], _read(value, field), _read(given, field)
            if (
                (self.exclude_none and part is None)
                or (self.exclude_unset and given_inner is MISSING)
                or (self.exclude_defaults and _is_default(field, inner))
            ):
                continue
            name = field.key if self.by_alias else field.name
            left[name] = self._taken(field.annotation, part, inner, given_inner, *wanted)
        return left

    def _container(self, annotation: Any, shown: Any, value: Any, given: Any, include: _Names, exclude: _Names) -> Any:
        """A list or a dict; of the types that its arguments are."""
        arguments = get_args(annotation)
        item = arguments[-1 if isinstance(shown, dict) else 0] if arguments else Any
        each = cast("Mapping[Any, Any]", shown).items() if isinstance(shown, dict) else enumerate(shown)
        left: list[tuple[Any, Any]] = []
        for key, part in each:
            if (wanted := _within(key, include, exclude)) is not None:
                own = arguments[key] if _is_pair(annotation, key) else item
                left.append((key, self._taken(own, part, _item(value, key), _item(given, key), *wanted)))
        return dict(left) if isinstance(shown, dict) else [part for _, part in left]


def _within(name: Any, include: _Names, exclude: _Names) -> tuple[_Names, _Names] | None:
    """What is meant within a field or an item; ``None`` where it is left out."""
    inner = _named(name, exclude)
    if inner is True:
        return None
    wanted = True if include is None else _named(name, include)
    return None if wanted is None else (None if wanted is True else wanted, inner)


def _named(name: Any, names: _Names) -> _Names:
    """``True`` where it is named as a whole, ``None`` where it is not, else what is named within it."""
    if isinstance(names, Mapping):
        rules = cast("Any", names)
        found = rules.get(name, rules.get("__all__"))
        return True if found in (True, ...) else found or None
    return True if names and (name in names or "__all__" in names) else None


def _of_value(annotation: Any, value: Any) -> Any:
    """The type a value was written as: no markers, of a union the option that it is an instance of."""
    if (schema := compiled_among([annotation])) is not None:
        return _of_value(schema.annotation, value)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        described = compiled_among(arguments[1:])
        return _of_value(arguments[0] if described is None else described, value)
    if origin in (Union, types.UnionType):
        options = [_of_value(option, value) for option in arguments if option is not type(None)]
        fitting = (option for option in options if _is_instance(value, get_origin(option) or option))
        return next(fitting, options[0] if len(options) == 1 else Any)
    return annotation


def _is_instance(value: Any, cls: Any) -> bool:
    try:
        return isinstance(value, cls)
    except TypeError:  # a TypedDict
        return isinstance(value, dict) and set(cast("dict[str, Any]", value)) <= set(cls.__annotations__)


def _is_pair(annotation: Any, key: Any) -> bool:
    """Whether a tuple has a type for this position of its own."""
    arguments = get_args(annotation)
    return get_origin(annotation) is tuple and Ellipsis not in arguments and key < len(arguments)


def _fields(annotation: Any) -> list[StructField] | None:
    return fields_of(annotation) if isinstance(get_origin(annotation) or annotation, type) else None


def _read(value: Any, field: StructField) -> Any:
    """A field of what was written, or of what that was made of; :data:`MISSING` where it has none."""
    if isinstance(value, Mapping):
        found = cast("Any", value)
        return found.get(field.key, found.get(field.name, MISSING))
    return getattr(value, field.name, MISSING)


def _item(value: Any, key: Any) -> Any:
    try:
        return value[key]
    except (LookupError, TypeError):
        return MISSING


def _is_default(field: StructField, value: Any) -> bool:
    default = field.factory() if field.factory is not None else field.default
    return default is not MISSING and bool(value == default)
