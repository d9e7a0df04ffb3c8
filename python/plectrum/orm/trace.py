"""Runs a query function once, with parameters in place of values, and plans what it returns."""

from __future__ import annotations

import contextlib
import inspect
import typing
from collections.abc import Callable, Generator, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import connections
from django.db.models import QuerySet

from plectrum.errors import PlanError, line_of
from plectrum.params import MISSING

from .frames import user_line
from .internal import Rows, attributes_of, is_a
from .operation import plan_result
from .param import Param
from .plan import Operation
from .purity import pure
from .results import Count, Exists, One, Page

__all__ = ["queryset_of", "trace"]


def trace(
    function: Callable[..., Any],
    params: Sequence[Param] = (),
    *,
    annotation: Any = MISSING,
    using: str | None = None,
    transform: Callable[[Any], Any] | None = None,
    coerce_decimal: bool = True,
) -> Operation:
    """Plan a query function.

    Parameters:
        function: a plain ``def`` that returns a QuerySet, ``One``, ``Count``, ``Exists``, ``Page`` or a dict of these.
        params: its arguments, by name; their order is the order of the execution's arguments.
        annotation: chooses fields and nesting; the function's own return annotation where not given.
        using: database alias; the router's choice where ``None``.
        transform: applied to the result before it is planned.
        coerce_decimal: write decimals as strings (DRF's ``COERCE_DECIMAL_TO_STRING``).

    Errors:
        PlanError: the function looks inside a parameter, runs a query, or returns what SQL cannot give.
    """
    with _naming(function):
        result = _called(function, params)
        if transform is not None:
            with _no_queries():
                result = transform(result)
        if annotation is MISSING:
            annotation = _return_annotation(function)
        return plan_result(result, params, annotation, using=using, coerce_decimal=coerce_decimal)


def queryset_of(function: Callable[..., Any], params: Sequence[Param] = ()) -> Rows:
    """The queryset a query function returns, or wraps in its result.

    Parameters:
        function: as for :func:`trace`.
        params: its arguments.

    Errors:
        PlanError: it returns none.
    """
    with _naming(function):
        result = _called(function, params)
        if is_a(result, (One, Count, Exists, Page)):
            result = result.queryset
        if not is_a(result, QuerySet):
            raise PlanError(f"It returned {type(result).__name__}, where a QuerySet is needed.")
        return result


def _called(function: Callable[..., Any], params: Sequence[Param]) -> Any:
    arguments = {param.name: param for param in params}
    with _no_queries(), pure():
        result = function(**arguments)
    if inspect.iscoroutine(result):
        result.close()
        raise PlanError(
            "A query function is a plain `def`; an `async def` handler runs per request and is not planned."
        )
    return result


@contextlib.contextmanager
def _naming(function: Callable[..., Any]) -> Generator[None]:
    """Errors begin with the function's line, unless they name a line already."""
    name = getattr(function, "__qualname__", repr(function))
    try:
        yield
    except PlanError as error:
        if _has_line(error):
            raise
        raise PlanError(f"{line_of(function)} {name}(): {error}") from error
    except (FieldDoesNotExist, FieldError) as error:
        raise PlanError(f"{line_of(function)} {name}(): {error}") from error


def _has_line(error: PlanError) -> bool:
    head = str(error).split("\n", 1)[0]
    return "\n" in str(error) and head.rpartition(":")[2].isdigit()


@contextlib.contextmanager
def _no_queries() -> Generator[None]:
    """Refuses queries: the function describes one, it does not run it."""
    with contextlib.ExitStack() as stack:
        for connection in connections.all(initialized_only=False):
            stack.enter_context(_no_connecting(connection))
        yield


@contextlib.contextmanager
def _no_connecting(connection: Any) -> Generator[None]:
    def refuse(*_args: Any, **_options: Any) -> Any:
        raise PlanError(
            f"{user_line()}\n"
            "The query function runs a query here, but it is called once, at start-up, to describe one. Return the "
            "QuerySet itself; One(queryset) for first() or get(), Count(queryset) for count(), Exists(queryset) for "
            "exists(); or make the handler `async def`."
        )

    # On the instance: `cursor` is what every execution asks its connection for first, before there is a connection.
    previous = {name: attributes_of(connection).get(name) for name in ("cursor", "chunked_cursor")}
    connection.cursor = connection.chunked_cursor = refuse
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                delattr(connection, name)
            else:
                setattr(connection, name, value)


def _return_annotation(function: Callable[..., Any]) -> Any:
    try:
        return typing.get_type_hints(function).get("return")
    except NameError as error:
        raise PlanError(f"its annotations cannot be read: {error}. Import the name at module level.") from error
