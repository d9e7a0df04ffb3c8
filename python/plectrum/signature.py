"""A handler's signature → its parameters, read once when the route is registered."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import typing
from collections.abc import Callable, Sequence
from typing import Any, get_args, get_origin

from . import _core
from .background import BackgroundTasks
from .deps import CallPlan, Dependency, Need, Resolver
from .deps.marker import is_injected
from .deps.resolve import Overrides
from .errors import ConfigurationError, SchemaError, line_of
from .middleware.around import DJANGO_REQUEST
from .nodes import Node, Nodes, as_json, is_body_type, is_upload
from .params import MISSING, Field

__all__ = ["Parameter", "Signature", "read_signature", "split_marker"]

Handler = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One argument of a handler.

    Parameters:
        name: Python name.
        wire: name on the wire.
        source: ``path``, ``query``, ``header``, ``cookie``, ``body``, ``body_field``, ``raw``, ``form``, ``claim``,
            ``request``, ``websocket``, ``background`` or ``responder``.
        schema: node description (see :mod:`plectrum.nodes`); ``None`` for the last four.
        default: value where absent, or :data:`MISSING`.
        factory: makes the default instead.
        many: every value of a repeated name is taken.
        annotation: the evaluated annotation, without the marker.
        description: for OpenAPI.
        examples: for OpenAPI.
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
    examples: Sequence[Any] = ()
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
            "examples": [as_json(example) for example in self.examples],
            "default": None if self.default is MISSING else as_json(self.default),
        }


#: What middleware is given before the handler's arguments.
REQUEST = Parameter("", "", "request", None)
RESPONDER = Parameter("", "", "responder", None)


@dataclasses.dataclass(frozen=True)
class Signature:
    """All of a handler's parameters, in order, and what it returns.

    Parameters:
        parameters: the handler's own, or with a plan those of its dependencies, too.
        returns: the evaluated return annotation, or ``MISSING``.
        plan: how the dependencies are run; ``None`` where there are none.
    """

    parameters: tuple[Parameter, ...]
    returns: Any
    plan: CallPlan | None = None


def read_signature(
    handler: Handler,
    path_names: Sequence[str],
    nodes: Nodes,
    *,
    dependencies: Sequence[Dependency] = (),
    overrides: Overrides | None = None,
    sync: bool = False,
) -> Signature:
    """Compiles ``handler``'s signature.

    Parameters:
        handler: the user's function.
        path_names: the names between braces in the route's path.
        nodes: the API's type compiler.
        dependencies: run besides those in the signature.
        overrides: what stands in for a dependency, in tests.
        sync: whether the handler runs in the thread pool.

    Errors:
        ConfigurationError: a parameter cannot be filled, or a path name has no parameter.
        SchemaError: a type or constraint is wrong.
    """
    returns = _hints(handler).get("return", MISSING)

    def read(function: Handler) -> list[Parameter | Need]:
        return _read_function(function, path_names, nodes)

    resolver = Resolver(read, overrides or {}, sync=sync)
    plan = resolver.resolve(handler, dependencies)
    # Without a plan the handler itself is called, with its parameters as they are.
    found = resolver.parameters if plan else [item for item in read(handler) if isinstance(item, Parameter)]
    unused = [name for name in path_names if name not in {p.wire for p in found if p.source == "path"}]
    if unused:
        raise ConfigurationError(
            f"{line_of(handler)}: the path names {{{unused[0]}}}, but {handler.__qualname__}() has no parameter "
            f"{unused[0]!r}. Add the parameter or take it out of the path."
        )
    return Signature(tuple(_split_bodies(found, handler)), returns, plan)


def _read_function(function: Handler, path_names: Sequence[str], nodes: Nodes) -> list[Parameter | Need]:
    """Parameters and needs of a handler or of a dependency, in order."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        return []  # written in C without a signature, such as the providers of `dependency-injector`
    known: tuple[Any, ...] = (type, functools.partial)
    if not inspect.isroutine(function) and not isinstance(function, known):
        # An object that can be called with anything needs nothing in particular.
        parameters = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    hints = _hints(function)
    kept = (parameter for parameter in parameters if not _left_to_inject(parameter, hints))
    return [_read_parameter(parameter, hints, path_names, nodes, function) for parameter in kept]


def _left_to_inject(parameter: inspect.Parameter, hints: dict[str, Any]) -> bool:
    """Whether ``@inject`` of ``dependency-injector`` fills the parameter, when it is left out."""
    annotation, default = hints.get(parameter.name), parameter.default
    marks: tuple[Any, ...] = get_args(annotation)[1:] if get_origin(annotation) is typing.Annotated else ()
    marks = tuple(mark.provider if isinstance(mark, Dependency) else mark for mark in (*marks, default))
    return any(is_injected(mark) for mark in marks)


def _hints(handler: Handler) -> dict[str, Any]:
    target: Any = handler
    while isinstance(target, functools.partial):
        target = target.func
    if inspect.isclass(target):
        target = target.__init__
    elif not inspect.isroutine(target) and not hasattr(target, "__annotations__"):
        target = target.__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"{line_of(handler)}: the annotation {error.name!r} of {_name_of(handler)}() is not defined where the "
            "function is. Import it at run time (not only under TYPE_CHECKING)."
        ) from error


def _name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def _read_parameter(
    parameter: inspect.Parameter, hints: dict[str, Any], path_names: Sequence[str], nodes: Nodes, handler: Handler
) -> Parameter | Need:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise ConfigurationError(
            f"{line_of(handler)}: {_name_of(handler)}() takes *{name}, which no request can fill. Name each parameter."
        )
    keyword_only = parameter.kind is parameter.KEYWORD_ONLY
    annotation = hints.get(name, str if name in path_names else Any)
    need = _need(parameter, annotation, handler)
    if need is not None:
        return need
    annotation, marker = split_marker(annotation)
    default = MISSING if parameter.default is parameter.empty else parameter.default
    if isinstance(default, Field):
        marker, default = default, default.default
    elif marker is not None and default is MISSING:
        default = marker.default
    if _is_request(annotation) or (name == "request" and name not in hints and marker is None):
        return Parameter(name, name, "request", None, annotation=annotation, keyword_only=keyword_only)
    if is_django_request(annotation):
        return Parameter(name, DJANGO_REQUEST, "request", None, annotation=annotation, keyword_only=keyword_only)
    if annotation is _core.WebSocket or (name == "websocket" and name not in hints and marker is None):
        return Parameter(name, name, "websocket", None, annotation=annotation, keyword_only=keyword_only)
    if annotation is BackgroundTasks:
        return Parameter(name, name, "background", None, annotation=annotation, keyword_only=keyword_only)
    source = _source(name, annotation, marker, path_names)
    where = f"{_name_of(handler)}({name})"
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
        examples=marker.examples if marker else (),
        keyword_only=keyword_only,
    )


def _need(parameter: inspect.Parameter, annotation: Any, handler: Handler) -> Need | None:
    """What ``Depends`` says of a parameter, where it does."""
    marker, own = parameter.default, annotation
    if get_origin(annotation) is typing.Annotated:
        own, *metadata = get_args(annotation)
        marker = next((item for item in metadata if isinstance(item, Dependency)), marker)
    if not isinstance(marker, Dependency):
        return None
    provider = marker.provider or own
    if not callable(provider) or provider in (Any, parameter.empty):
        raise ConfigurationError(
            f"{line_of(handler)}: {_name_of(handler)}({parameter.name}) has Depends() without a provider, and its "
            "annotation is no class that could be one. Name it: Depends(function)."
        )
    return Need(parameter.name, provider, marker.cache, parameter.kind is parameter.KEYWORD_ONLY)


def split_marker(annotation: Any) -> tuple[Any, Field | None]:
    """``Annotated[int, Query(ge=1), Le(9)]`` → ``Annotated[int, Le(9)]`` and the marker."""
    if get_origin(annotation) is not typing.Annotated:
        return annotation, None
    base, *metadata = get_args(annotation)
    marker = next((item for item in metadata if isinstance(item, Field) and item.source), None)
    rest = [item for item in metadata if item is not marker]
    return (typing.Annotated[(base, *rest)] if rest else base), marker


def _source(name: str, annotation: Any, marker: Field | None, path_names: Sequence[str]) -> str:
    if marker is not None and marker.source == "body" and annotation is bytes:
        return "raw"
    if marker is not None and marker.source:
        return marker.source
    if name in path_names:
        return "path"
    if is_upload(annotation):
        return "form"
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


def is_django_request(annotation: Any) -> bool:
    """Whether a parameter wants Django's request."""
    http: Any = sys.modules.get("django.http")
    return http is not None and isinstance(annotation, type) and issubclass(annotation, http.HttpRequest)


_TEXT_SOURCES = {"path": "the path", "query": "a query parameter", "header": "a header", "cookie": "a cookie",
                 "form": "a form field"}  # fmt: skip


#: Sources whose names can be the fields of one model.
_MODEL_SOURCES = ("query", "header", "cookie", "form")


def _check_text(source: str, node: Node, where: str, handler: Handler) -> None:
    """Refuses types that no text can be read as: every request would be a 422."""
    if source in _MODEL_SOURCES and _is_model(node):
        return
    if source == "form" and _is_upload(node):
        return
    if source in _TEXT_SOURCES and not _is_text(node):
        raise SchemaError(
            f"{where}: an object or a list of lists cannot be read from {_TEXT_SOURCES[source]}. Take it from the JSON "
            "body (Body()), or take scalars and lists of scalars."
        ).at(handler)


def _is_model(node: Node) -> bool:
    """Whether it is a struct, whose fields are parameters of their own."""
    inner = node["inner"] if node["type"] == "optional" else node
    return inner["type"] in ("struct", "reference", "foreign")


def _is_upload(node: Node) -> bool:
    inner = node["inner"] if node["type"] == "optional" else node
    return bool((inner["item"] if inner["type"] == "list" else inner)["type"] == "upload")


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
            return kind not in ("struct", "reference", "dict", "foreign", "upload")


def _is_sequence(node: Node) -> bool:
    inner = node["inner"] if node["type"] == "optional" else node
    return inner["type"] in ("list", "tuple")


def _split_bodies(parameters: list[Parameter], handler: Handler) -> list[Parameter]:
    """Several body parameters become keys of one JSON object, as in FastAPI."""
    bodies = [parameter for parameter in parameters if parameter.source == "body"]
    raw = [parameter for parameter in parameters if parameter.source == "raw"]
    if raw and (bodies or len(raw) > 1):
        # Beside other keys of a JSON object it is base64, as it is in any JSON.
        parameters = [dataclasses.replace(p, source="body") if p.source == "raw" else p for p in parameters]
        bodies, raw = [p for p in parameters if p.source == "body"], []
    bodies_or_raw = bodies or raw
    if bodies_or_raw and any(parameter.source == "form" for parameter in parameters):
        raise ConfigurationError(
            f"{line_of(handler)}: {handler.__qualname__}() takes both a body ({bodies_or_raw[0].name}) and form "
            "fields. A request has one body: use one or the other."
        )
    if len(bodies) < 2:
        return parameters
    return [dataclasses.replace(p, source="body_field") if p.source == "body" else p for p in parameters]
