"""FastAPI with Plectrum's types: schemas as bodies and response models, answers written by Rust.

    app = FastAPI()
    app.router.route_class = PlectrumRoute
    ArticleOut = FastAPIModel(Article)                      # a Django model, a Schema, any compiled schema

    @app.get("/articles/{id}")
    async def article(id: int) -> ArticleOut: ...

A :class:`plectrum.Schema` class needs no wrapping. The OpenAPI document is what pydantic makes of an equal model.

Source: FastAPI, "Custom Request and APIRoute class"; ``fastapi.routing.serialize_response``.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast, get_args

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from . import _core
from .errors import SchemaError
from .nodes import compiled_among
from .schema import CompiledValidator, InvalidError
from .schema.partial import Part
from .schema.record import SchemaMeta
from .structs import fields_of, is_typed_dict

if TYPE_CHECKING:
    from fastapi._compat import ModelField

__all__ = ["FastAPIModel", "PlectrumResponse", "PlectrumRoute"]

_WHOLE = Part()


def FastAPIModel(source: Any, **options: Any) -> Any:  # noqa: N802 - used as a type is
    """A type for FastAPI's bodies and response models.

    Parameters:
        source: a :class:`plectrum.Schema` class, a compiled schema, a Django model, or any struct-like class.
        options: for a Django model, those of :func:`plectrum.schema.models.from_model`.

    Returns:
        an ``Annotated`` type; what is validated is what the schema validates to.

    Errors:
        SchemaError: a type or a constraint is wrong.
    """
    schema = _compiled(source, options)
    base = schema.annotation
    return cast("Any", Annotated)[dict[str, Any] if is_typed_dict(base) else base, schema]


def _compiled(source: Any, options: dict[str, Any]) -> CompiledValidator[Any]:
    if (compiled := compiled_among([source])) is not None:
        return cast("CompiledValidator[Any]", compiled)
    if _is_model(source):
        from .schema.models import from_model

        return from_model(source, **options)
    if options:
        raise SchemaError(f"{source!r} is not a Django model, and {', '.join(options)} are for models only.")
    return source.compiled if isinstance(source, SchemaMeta) else CompiledValidator(source)


def _is_model(source: Any) -> bool:
    if "django" not in sys.modules or not isinstance(source, type):
        return False
    from django.db.models import Model

    return issubclass(source, Model)


class PlectrumResponse(Response):
    """A JSON response whose content is written by Rust; any value that a Plectrum handler may return."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as JSON bytes."""
        return _core.encode(content)


class PlectrumRoute(APIRoute):
    """A route whose answers Rust validates and writes, where its response model is one of Plectrum's.

    An instance of the model's own class is not validated again, as pydantic does not; anything else is. Routes with
    other response models stay as they are.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with a response field that Rust stands behind."""
        field = self.response_field
        fast = _rust_field(self, field)
        try:
            self.response_field = fast or field
            return super().get_route_handler()
        finally:
            self.response_field = field


class _RustField:
    """Stands in for FastAPI's ``ModelField`` where an answer is validated and serialized."""

    def __init__(self, schema: CompiledValidator[Any], field: ModelField) -> None:
        self._schema = schema
        self._field = field
        self._ready = _instances(schema.annotation)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._field, name)

    def validate(self, value: Any, values: Any = None, *, loc: tuple[Any, ...] = ()) -> tuple[Any, list[Any]]:
        """The value and no errors, or ``None`` and what FastAPI's own field says is wrong."""
        if self._ready(value):
            return value, []
        try:
            return _Validated(self._schema.validate(value), value), []
        except InvalidError:
            told: tuple[Any, list[Any]] = cast("Any", self._field).validate(value, values, loc=loc)
            return told

    def serialize_json(self, value: Any, **options: Any) -> bytes:
        """JSON bytes of what FastAPI's options ask for."""
        part = Part(**options)
        if part != _WHOLE:
            return _core.encode(self._taken(part, value))
        return self._schema.dump(value.value if isinstance(value, _Validated) else value)

    def serialize(self, value: Any, **options: Any) -> Any:
        """For response classes that render Python values."""
        return self._taken(Part(**options), value)

    def _taken(self, part: Part, value: Any) -> Any:
        value, given = value if isinstance(value, _Validated) else (value, value)
        shown = self._schema.serialize(value)
        return shown if part == _WHOLE else part.taken(self._schema.annotation, shown, value, given)


class _Validated(NamedTuple):
    """A value, and what the endpoint gave for it."""

    value: Any
    given: Any


def _rust_field(route: APIRoute, field: ModelField | None) -> Any:
    if field is None or not _is_ours(route.response_model):
        return None
    return _RustField(CompiledValidator(route.response_model, output=True), field)


def _is_ours(annotation: Any) -> bool:
    """Whether every struct in the annotation is one of ours."""
    arguments = get_args(annotation)
    if isinstance(annotation, SchemaMeta) or compiled_among([annotation, *arguments]) is not None:
        return True
    inner = [argument for argument in arguments if argument not in (Ellipsis, type(None))]
    return (
        bool(inner)
        and all(_is_ours(argument) or argument in (str, int) for argument in inner)
        and any(_is_ours(argument) for argument in inner)
    )


def _instances(annotation: Any) -> Callable[[Any], bool]:
    """Whether a value is made of instances that were valid when they were made."""
    described = compiled_among(get_args(annotation))
    if described is not None:
        return _instances_of(described)
    if isinstance(annotation, SchemaMeta):
        return lambda value: isinstance(value, annotation)
    if typing.get_origin(annotation) is list:
        one = _instances(get_args(annotation)[0])
        return lambda value: isinstance(value, (list, tuple)) and all(map(one, cast("list[Any]", value)))
    return lambda _value: False


def _instances_of(schema: CompiledValidator[Any]) -> Callable[[Any], bool]:
    base = schema.model or schema.annotation
    if is_typed_dict(base) or (fields_of(base) is None and schema.model is None):
        return lambda _value: False
    return lambda value: isinstance(value, base)
