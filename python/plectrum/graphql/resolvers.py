"""Fields whose values a function of the user's gives: one call for all rows of a response."""

from __future__ import annotations

import collections.abc
import inspect
import json
import logging
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Union, get_args, get_origin

from django.conf import settings

from plectrum import _core
from plectrum.errors import SchemaError
from plectrum.orm.internal import is_a

from .errors import GraphQLError
from .fields import Resolved
from .info import Info
from .names import field_name
from .scalars import Scalar, scalar_of

__all__ = ["Resolver", "answers", "called", "compiled"]

_log = logging.getLogger("plectrum.graphql")
_LISTS: Final = (list, collections.abc.Sequence, collections.abc.Iterable)
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class Resolver:
    """A function that gives a field's values, and what it wants to know of the rows.

    Parameters:
        function: ``(keys, info) → list``, plain or ``async``; the second parameter may be left out. Its values are in
            the order of the keys. Its return annotation, such as ``list[float | None]``, is the field's type.
        needs: model fields; with some, the function is given objects with ``pk`` and these attributes, not keys.
    """

    function: Callable[..., Any]
    needs: Sequence[str] = ()


def compiled(model: Any, name: str, declared: Callable[..., Any] | Resolver) -> Resolved:
    """The field of a function.

    Parameters:
        model: of the rows.
        name: of the field, in snake_case.
        declared: by the user.

    Errors:
        SchemaError: a function that cannot be called, or whose values have no type.
    """
    resolver = declared if isinstance(declared, Resolver) else Resolver(declared)
    function = resolver.function
    known = {field.name for field in model._meta.concrete_fields}
    for need in resolver.needs:
        if need not in known:
            raise SchemaError(f"{model.__name__} has no field {need!r}. Choose from: {', '.join(sorted(known))}.")
    try:
        parameters = list(inspect.signature(function).parameters.values())
        annotation = typing.get_type_hints(function).get("return")
    except (NameError, TypeError, ValueError) as error:
        raise SchemaError(f"{error}. Annotate a function with names that are known where it is.") from error
    if len(parameters) not in (1, 2):
        raise SchemaError("it takes the keys of the rows and, if it wants to, the info of the request.")
    scalar, depth, nullable = _type(annotation)
    is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
    return Resolved(
        name=field_name(name),
        function=function,
        needs=tuple(resolver.needs),
        is_async=is_async,
        wants_info=len(parameters) == 2,
        leaf=scalar,
        nullable=nullable,
        depth=depth,
        description=inspect.getdoc(function) or "",
    )


def _type(annotation: Any) -> tuple[Scalar, int, bool]:
    """Scalar, depth of lists, and whether it may be null."""
    items = get_args(annotation)
    if get_origin(annotation) not in _LISTS or not items:
        raise SchemaError("annotate what it returns with a list of the field's type, such as list[float | None].")
    item, nullable = _without_null(items[0])
    depth = 0
    while get_origin(item) in _LISTS and get_args(item):
        item, depth = _without_null(get_args(item)[0])[0], depth + 1
    scalar = scalar_of(item)
    if scalar is None:
        raise SchemaError(
            f"{getattr(item, '__name__', item)} is no scalar of GraphQL. Return one, such as str or float."
        )
    return scalar, depth, nullable


def _without_null(annotation: Any) -> tuple[Any, bool]:
    """An annotation without ``None`` and without errors."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    options = get_args(annotation)
    kept = [one for one in options if not (is_a(one, type) and issubclass(one, (types.NoneType, BaseException)))]
    if len(kept) != 1:
        raise SchemaError(f"{annotation} is more than one type.")
    return kept[0], types.NoneType in options


# ── Calls ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def called(model: Any, field: Resolved, parents: str, info: Info) -> Any:
    """What the function returns; a coroutine where it is asynchronous.

    Parameters:
        model: of the rows.
        field: whose function it is.
        parents: a JSON array for each row: its key and what the function needs.
        info: the request.
    """
    fields = [model._meta.pk, *(model._meta.get_field(name) for name in field.needs)]
    rows = [[one.to_python(value) for one, value in zip(fields, row, strict=True)] for row in json.loads(parents)]
    names = ["pk", *field.needs]
    given: list[Any] = [row[0] for row in rows]
    if field.needs:
        given = [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows]
    return field.function(given, info) if field.wants_info else field.function(given)


def answers(field: Resolved, parents: str, values: Iterable[Any]) -> str:
    """Values as Rust reads them (``crates/engine/src/graphql/resolve.rs``).

    Parameters:
        field: whose they are.
        parents: as for :func:`called`.
        values: what the function gave.

    Errors:
        ValueError: there are not as many as rows.
    """
    given, count = list(values), len(json.loads(parents))
    if len(given) != count:
        raise ValueError(f"{field.function.__qualname__}() gave {len(given)} values for {count} rows.")
    return f"[{','.join(_answer(field, value) for value in given)}]"


def _answer(field: Resolved, value: Any) -> str:
    try:
        if isinstance(value, BaseException):
            raise value
        return f'{{"v":{_core.encode(_checked(field, value)).decode()}}}'
    except GraphQLError as error:
        return json.dumps({"m": str(error)})
    except Exception as error:  # noqa: BLE001 - whatever the user's function gave, the other rows are answered
        _log.exception("%s() failed for a row", field.function.__qualname__)
        return json.dumps({"f": str(error) if settings.DEBUG else "Internal server error."})


def _checked(field: Resolved, value: Any, depth: int | None = None) -> Any:
    """A value of the field's type."""
    depth = field.depth if depth is None else depth
    if value is None:
        return None
    if depth:
        return [_checked(field, item, depth - 1) for item in value]
    name = field.leaf.name
    expected: Any = (int, float) if name == "Float" else field.leaf.annotation
    is_wrong = name != "JSON" and (not isinstance(value, expected) or (isinstance(value, bool) and name != "Boolean"))
    if is_wrong or (name == "Int" and not _SMALLEST <= value <= _LARGEST):
        raise TypeError(f"{value!r} is no {name} of GraphQL.")
    return value
