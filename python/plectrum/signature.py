"""A handler's signature → its parameters, read once when the route is registered."""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Callable, Sequence
from typing import Any, get_args, get_origin

from . import _core
from .errors import ConfigurationError, SchemaError, line_of
from .nodes import Node, Nodes, is_body_type
from .params import MISSING, Field

__all__ = ["Parameter", "Signature", "read_signature"]

Handler = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One argument of a handler.

    Parameters:
        name: Python name.
        wire: name on the wire.
        source: ``path``, ``query``, ``header``, ``cookie``, ``body``, ``body_field``, ``form`` or ``request``.
        schema: node description (see :mod:`plectrum.nodes`); ``None`` for ``request``.
        default: value where absent, or :data:`MISSING`.
        factory: makes the default instead.
        many: every value of a repeated name is taken.
        annotation: the evaluated annotation, without the marker.
        description: for OpenAPI.
        keyword_only: whether the handler takes it by name only.
    """

    name: str
    wire: str
    source: str
    schema: Node | None
    default: Any = MISSING
    factory: Callable[[], Any] | None = None
    many: bool = False
    annotation: Any = Any
    description: str | None = None
    keyword_only: bool = False

    @property
    def required(self) -> bool:
        """Whether a request without it is refused."""
        return self.default is MISSING and self.factory is None

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        return {
            "name": self.name,
            "wire": self.wire,
            "source": self.source,
            "schema": self.schema,
            "required": self.required,
            "many": self.many,
            "description": self.description,
            "default": None if self.default is MISSING else _as_json(self.default),
        }


def _as_json(default: Any) -> Any:
    """The JSON value a default would be answered as; ``None`` where it has none."""
    try:
        return json.loads(_core.encode(default))
    except (TypeError, ValueError, RecursionError):
        return None


@dataclasses.dataclass(frozen=True)
class Signature:
    """All of a handler's parameters, in order, and what it returns."""

    parameters: tuple[Parameter, ...]
    returns: Any


def read_signature(handler: Handler, path_names: Sequence[str], nodes: Nodes) -> Signature:
    """Compiles ``handler``'s signature.

    Parameters:
        handler: the user's function.
        path_names: the names between braces in the route's path.
        nodes: the API's type compiler.

    Errors:
        ConfigurationError: a parameter cannot be filled, or a path name has no parameter.
        SchemaError: a type or constraint is wrong.
    """
    hints = _hints(handler)
    found = [
        _read_parameter(parameter, hints, path_names, nodes, handler)
        for parameter in inspect.signature(handler).parameters.values()
    ]
    unused = [name for name in path_names if name not in {p.wire for p in found if p.source == "path"}]
    if unused:
        raise ConfigurationError(
            f"{line_of(handler)}: the path names {{{unused[0]}}}, but {handler.__qualname__}() has no parameter "
            f"{unused[0]!r}. Add the parameter or take it out of the path."
        )
    return Signature(tuple(_split_bodies(found, handler)), hints.get("return", MISSING))


def _hints(handler: Handler) -> dict[str, Any]:
    try:
        return typing.get_type_hints(handler, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"{line_of(handler)}: the annotation {error.name!r} of {handler.__qualname__}() is not defined where the "
            "function is. Import it at run time (not only under TYPE_CHECKING)."
        ) from error


def _read_parameter(
    parameter: inspect.Parameter, hints: dict[str, Any], path_names: Sequence[str], nodes: Nodes, handler: Handler
) -> Parameter:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise ConfigurationError(
            f"{line_of(handler)}: {handler.__qualname__}() takes *{name}, which no request can fill. "
            "Name each parameter."
        )
    keyword_only = parameter.kind is parameter.KEYWORD_ONLY
    annotation = hints.get(name, str if name in path_names else Any)
    annotation, marker = _split_marker(annotation)
    default = MISSING if parameter.default is parameter.empty else parameter.default
    if isinstance(default, Field):
        marker, default = default, default.default
    elif marker is not None and default is MISSING:
        default = marker.default
    if _is_request(annotation) or (name == "request" and name not in hints and marker is None):
        return Parameter(name, name, "request", None, annotation=annotation, keyword_only=keyword_only)
    source = _source(name, annotation, marker, path_names)
    where = f"{handler.__qualname__}({name})"
    try:
        schema = nodes.schema(annotation, marker, where)
    except SchemaError as error:
        raise error.at(handler) from error
    _check_text(source, schema["root"], where, handler)
    return Parameter(
        name=name,
        wire=_wire(name, source, marker),
        source=source,
        schema=schema,
        default=default,
        factory=marker.default_factory if marker else None,
        many=source in ("query", "header", "form") and _is_sequence(schema["root"]),
        annotation=annotation,
        description=marker.description if marker else None,
        keyword_only=keyword_only,
    )


def _split_marker(annotation: Any) -> tuple[Any, Field | None]:
    """``Annotated[int, Query(ge=1), Le(9)]`` → ``Annotated[int, Le(9)]`` and the marker."""
    if get_origin(annotation) is not typing.Annotated:
        return annotation, None
    base, *metadata = get_args(annotation)
    marker = next((item for item in metadata if isinstance(item, Field) and item.source), None)
    rest = [item for item in metadata if item is not marker]
    return (typing.Annotated[(base, *rest)] if rest else base), marker


def _source(name: str, annotation: Any, marker: Field | None, path_names: Sequence[str]) -> str:
    if marker is not None and marker.source:
        return marker.source
    if name in path_names:
        return "path"
    return "body" if is_body_type(annotation) else "query"


def _wire(name: str, source: str, marker: Field | None) -> str:
    if marker is not None and marker.alias:
        return marker.alias.lower() if source == "header" else marker.alias
    return name.replace("_", "-").lower() if source == "header" else name


def _is_request(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and annotation.__name__ == "Request"
        and annotation.__module__.startswith("plectrum")
    )


_TEXT_SOURCES = {"path": "the path", "query": "a query parameter", "header": "a header", "cookie": "a cookie",
                 "form": "a form field"}  # fmt: skip


def _check_text(source: str, node: Node, where: str, handler: Handler) -> None:
    """Refuses types that no text can be read as: every request would be a 422."""
    if source in _TEXT_SOURCES and not _is_text(node):
        raise SchemaError(
            f"{where}: an object or a list of lists cannot be read from {_TEXT_SOURCES[source]}. Take it from the JSON "
            "body (Body()), or take scalars and lists of scalars."
        ).at(handler)


def _is_text(node: Node, inside: bool = False) -> bool:
    match node["type"]:
        case "optional":
            return _is_text(node["inner"], inside)
        case "union":
            return any(_is_text(option, inside) for option in node["options"])
        case "list":
            return not inside and _is_text(node["item"], inside=True)
        case "tuple":
            return not inside and all(_is_text(item, inside=True) for item in node["items"])
        case kind:
            return kind not in ("struct", "reference", "dict", "foreign")


def _is_sequence(node: Node) -> bool:
    inner = node["inner"] if node["type"] == "optional" else node
    return inner["type"] in ("list", "tuple")


def _split_bodies(parameters: list[Parameter], handler: Handler) -> list[Parameter]:
    """Several body parameters become keys of one JSON object, as in FastAPI."""
    bodies = [parameter for parameter in parameters if parameter.source == "body"]
    if bodies and any(parameter.source == "form" for parameter in parameters):
        raise ConfigurationError(
            f"{line_of(handler)}: {handler.__qualname__}() takes both a JSON body ({bodies[0].name}) and form fields. "
            "A request has one body: use one or the other."
        )
    if len(bodies) < 2:
        return parameters
    return [dataclasses.replace(p, source="body_field") if p.source == "body" else p for p in parameters]
