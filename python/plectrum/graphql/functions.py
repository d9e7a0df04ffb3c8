"""Functions that answer fields of ``Query``, ``Mutation`` and ``Subscription``, in the user's Python."""

from __future__ import annotations

import collections.abc
import inspect
import json
import typing
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Invalid
from django.http import Http404

from plectrum._core import Request
from plectrum.errors import (
    ConfigurationError,
    Forbidden,
    HTTPException,
    NotFound,
    SchemaError,
    ValidationError,
    line_of,
)
from plectrum.resources.violations import invalid_errors

from .annotations import Nullable, Row, Struct
from .answers import REFUSED, refused
from .arguments import Shape
from .entries import INPUT
from .errors import GraphQLError
from .graph import Graph
from .info import Info, Visit
from .inputs import Argument, Inputs, Lookup
from .names import field_name, pascal
from .options import Function
from .outputs import Output, Outputs, written
from .sdl import block, described

__all__ = ["Functions"]

RootName = Literal["Query", "Mutation", "Subscription"]
_STREAMS: Final = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)
_CODES: Final = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND"}


class Functions:
    """The functions of a graph.

    Parameters:
        graph: the models' types.
        using: database alias.

    Errors:
        ConfigurationError: a function that cannot be offered; names its line.
    """

    def __init__(self, graph: Graph, using: str) -> None:
        self._inputs = Inputs(graph, using)
        self._outputs = Outputs(graph, using)
        self._definitions: list[str] = []
        #: By root type and name.
        self.fields: dict[tuple[str, str], Field] = {}
        for declared in graph.declared.functions:
            field = self._compile(declared, using)
            if (declared.root, field.name) in self.fields:
                raise ConfigurationError(
                    f"{line_of(declared.function)}: the graph has a second {declared.root}.{field.name}. Give it "
                    "another name=."
                )
            self.fields[declared.root, field.name] = field

    def of(self, root: str) -> Iterator[str]:
        """Definitions of a root type's fields."""
        return (field.sdl for (owner, _), field in self.fields.items() if owner == root)

    def names(self, root: str) -> list[str]:
        """Names of a root type's fields."""
        return [name for owner, name in self.fields if owner == root]

    def definitions(self) -> Iterator[str]:
        """Types of arguments and results."""
        yield from self._inputs.definitions.values()
        yield from self._outputs.definitions.values()
        yield from self._definitions

    def _compile(self, declared: Function, using: str) -> Field:
        function, line = declared.function, line_of(declared.function)
        try:
            hints = typing.get_type_hints(function, include_extras=True)
            arguments, given = self._arguments(function, hints)
            output = self._result(declared, hints)
        except NameError as error:
            raise ConfigurationError(
                f"{line}: the annotation {error.name!r} of {function.__name__}() is not defined where the function is. "
                "Import it at run time (not only under TYPE_CHECKING)."
            ) from error
        except SchemaError as error:
            raise ConfigurationError(f"{line}: {function.__name__}(): {error}") from error
        name = declared.name or field_name(function.__name__)
        listed = ", ".join(f"{argument.name}: {argument.sdl}" for argument in arguments)
        sdl = f"{described(inspect.getdoc(function) or '', '  ')}{name}{f'({listed})' if listed else ''}: {output.sdl}"
        return Field(name, sdl, declared, tuple(arguments), given, output, using)

    def _arguments(self, function: Any, hints: dict[str, Any]) -> tuple[list[Argument], dict[str, str]]:
        """What clients give, and what we do."""
        arguments: list[Argument] = []
        given: dict[str, str] = {}
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise SchemaError(f"the parameter {parameter.name!r} has no name that an argument could have.")
            if parameter.name not in hints:
                raise SchemaError(f"the parameter {parameter.name!r} has no annotation.")
            annotation = hints[parameter.name]
            if annotation in (Info, Request):
                given[parameter.name] = "info" if annotation is Info else "request"
            else:
                arguments.append(self._inputs.argument(parameter, annotation))
        return arguments, given

    def _result(self, declared: Function, hints: dict[str, Any]) -> Output:
        returns = hints.get("return", type(None))
        if declared.root == "Subscription":
            returns = get_args(returns)[0] if get_origin(returns) in _STREAMS else type(None)
        if returns is type(None):
            wanted = "AsyncIterator[…]" if declared.root == "Subscription" else "what it returns"
            raise SchemaError(f"its result has no type. Annotate it: -> {wanted}.")
        shape, output = self._outputs.read(returns)
        if declared.root == "Mutation":
            bare = shape.inner if isinstance(shape, Nullable) else shape
            return self._union(declared, output, is_object=isinstance(bare, Row | Struct))
        if declared.root == "Subscription" and isinstance(shape, Row):
            # Rows that do not exist for a client are no events.
            return Output(f"{output.sdl}!", output.shape)
        # What may be refused may be null.
        return output if declared.root == "Subscription" else Output(output.sdl.removesuffix("!"), output.shape)

    def _union(self, declared: Function, output: Output, *, is_object: bool) -> Output:
        """The result, or what is wrong: an object as it is, anything else as the ``value`` of one."""
        name = pascal(field_name(declared.name or declared.function.__name__))
        if is_object:
            self._definitions.append(f"union {name}Result = {output.sdl.removesuffix('!')} | {REFUSED}")
            return Output(f"{name}Result", output.shape)
        done = f"{name}Done"
        self._definitions.append(block(f"type {done}", [f"value: {output.sdl}"]))
        self._definitions.append(f"union {name}Result = {done} | {REFUSED}")
        return Output(f"{name}Result", _done(done, output))


def _done(name: str, output: Output) -> Callable[[Any, dict[str, Any]], Any]:
    from .rows import selected_of

    def done(value: Any, asked: dict[str, Any]) -> dict[str, Any]:
        fields = map(selected_of, asked["s"].get(name, []))
        return {key: name if field == "__typename" else output.shape(value, inner) for key, field, inner in fields}

    return done


@dataclass(frozen=True)
class Field:
    """A field that a function answers.

    Parameters:
        name: in the schema.
        sdl: its definition.
        declared: the function.
        arguments: what clients give.
        given: parameter → what of the request it is.
        output: type of the result.
        using: database alias.
    """

    name: str
    sdl: str
    declared: Function
    arguments: tuple[Argument, ...]
    given: dict[str, str]
    output: Output
    using: str

    @property
    def is_async(self) -> bool:
        """Whether it has to be awaited."""
        return not self.declared.sync

    def call(self, asked: Shape, values: list[Any], visit: Visit) -> str:
        """Call a plain function; returns the answer as Rust reads it."""
        try:
            info = self._admitted(visit)
            found = self._read(asked, values, info)
            rows = {name: one.found(one.rows.first()) for name, one in found.items() if isinstance(one, Lookup)}
            return self._answer(self.declared.function(**{**found, **rows}), asked, values)
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises; ours goes on
            return self._refused(error, asked)

    async def call_async(self, asked: Shape, values: list[Any], visit: Visit) -> str:
        """Call a coroutine function; returns the answer as Rust reads it."""
        try:
            return self._answer(await self.declared.function(**await self._given(asked, values, visit)), asked, values)
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises; ours goes on
            return self._refused(error, asked)

    async def events(self, asked: Shape, values: list[Any], visit: Visit) -> AsyncIterator[str]:
        """Iterate an async generator; its events as Rust reads them, a line each."""
        try:
            items = aiter(self.declared.function(**await self._given(asked, values, visit)))
            try:
                async for item in items:
                    yield self._answer(item, asked, values) + "\n"
            finally:
                # Generators have it, other iterators need not.
                if (close := getattr(items, "aclose", None)) is not None:
                    await close()
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises; ours goes on
            yield self._refused(error, asked) + "\n"

    async def _given(self, asked: Shape, values: list[Any], visit: Visit) -> dict[str, Any]:
        found = self._read(asked, values, self._admitted(visit))
        for name, one in found.items():
            if isinstance(one, Lookup):
                found[name] = one.found(await one.rows.afirst())
        return found

    def _admitted(self, visit: Visit) -> Info:
        info = Info(visit)
        if self.declared.allow is not None and not self.declared.allow(info.viewer):
            raise Forbidden("This is not allowed.")
        return info

    def _read(self, asked: Shape, values: list[Any], info: Info) -> dict[str, Any]:
        """The function's arguments, rows still to be found; every mistake together."""
        arguments = asked.get("a", {})
        found: dict[str, Any] = {name: info if what == "info" else info.request for name, what in self.given.items()}
        wrong: list[dict[str, Any]] = []
        for argument in self.arguments:
            if argument.name not in arguments:
                continue
            try:
                found[argument.parameter] = argument.read(arguments[argument.name], values, info)
            except ValidationError as error:
                wrong += error.errors
        if wrong:
            raise ValidationError(wrong)
        return found

    def _answer(self, value: Any, asked: Shape, values: list[Any]) -> str:
        return written(self.output.shape(value, asked), values, self.using)

    def _refused(self, error: Exception, asked: Shape) -> str:
        """What the client did wrong; anything else goes on."""
        known = _of_http(error)
        if known is None or known.status >= 500:
            raise error
        if self.declared.root == "Mutation":
            return f'{{"v":{refused(asked, known, {})}}}'
        problems: list[dict[str, Any]] = known.extra.get("errors") or []
        message = "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in problems if problem["loc"])
        code = _CODES.get(known.status, "BAD_USER_INPUT")
        return json.dumps({"e": [code, message or known.detail or known.title]})


def _of_http(error: Exception) -> HTTPException | None:
    """What an exception says to a client; ``None`` where it is ours."""
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, PermissionDenied):
        return Forbidden(str(error) or None)
    if isinstance(error, Http404):
        return NotFound(str(error) or None)
    if isinstance(error, Invalid):
        return ValidationError(invalid_errors(error, (INPUT,)))
    if isinstance(error, GraphQLError):
        return ValidationError([{"loc": [], "type": "invalid", "msg": str(error)}], detail=str(error))
    return None
