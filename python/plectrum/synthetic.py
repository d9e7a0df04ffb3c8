"""Handlers that Plectrum makes for the user: functions that are read like handwritten ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from .errors import DECLARED_AT

__all__ = ["keyword", "named", "with_signature"]

Function = Callable[..., Any]


def named(function: Function, name: str, *, module: str, doc: str, where: str | None = None) -> Function:
    """Gives a function a name, a docstring and a place.

    Parameters:
        function: changed in place.
        name: also what routes and OpenAPI know it by.
        module: where the user's own names are.
        doc: first line: OpenAPI's summary.
        where: the line of the user's that asked for it, as ``file:line``.
    """
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    function.__module__ = module
    if where is not None:
        setattr(function, DECLARED_AT, where)
    return function


def keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """A keyword-only parameter."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def with_signature(function: Function, parameters: Iterable[inspect.Parameter], returns: Any = None) -> Function:
    """Gives a ``**values`` function named parameters.

    Parameters:
        function: changed in place.
        parameters: with evaluated annotations.
        returns: its return annotation; none where ``None``.
    """
    signature = inspect.Signature(list(parameters))
    annotations = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__annotations__ = annotations if returns is None else {**annotations, "return": returns}
    return function
