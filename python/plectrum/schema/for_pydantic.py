"""Schemas within pydantic, and so within FastAPI: pydantic asks, Rust validates and writes.

What pydantic is told of a schema for JSON Schema is a pydantic model of the same fields and rules, so that an OpenAPI
document cannot be told from one of that model.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Union, cast, get_args, get_origin

import pydantic
from pydantic.fields import FieldInfo as PydanticField
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from ..nodes import compiled_among
from ..params import MISSING, UNSET, Field
from ..structs import StructField, fields_of, is_unset, struct_name
from .invalid import InvalidError
from .partial import Part

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

    from .compiled import CompiledValidator

__all__ = ["core_schema_of", "equivalent"]

#: Our rules under pydantic's names; the others say nothing in JSON Schema.
_RULES = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern", "max_digits", "decimal_places")
_FORMATS = {"email": "email", "url": "uri", "ipv4": "ipv4", "ipv6": "ipv6"}


def core_schema_of(schema: CompiledValidator[Any]) -> core_schema.CoreSchema:
    """How pydantic validates and serializes values of a schema: by asking it."""

    def validate(value: Any) -> Any:
        if schema.model is not None and isinstance(value, schema.model):
            return value  # a row; it is written from its attributes
        try:
            return schema.validate(value)
        except InvalidError as error:
            raise _told(schema, error, value) from error

    def serialize(value: Any, info: core_schema.SerializationInfo) -> Any:
        shown = schema.serialize(value)
        part = Part.of(info)
        return shown if part is None else part.taken(schema.annotation, shown, value)

    serialization = core_schema.plain_serializer_function_ser_schema(serialize, info_arg=True)

    def describe(_core_schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The JSON Schema of the equivalent pydantic model, referred to by its name."""
        core = pydantic.TypeAdapter[Any](equivalent(schema.annotation)).core_schema
        if "ref" in core:  # told by its name, as pydantic tells of a model
            reference = core_schema.definition_reference_schema(core["ref"])
            core = core_schema.definitions_schema(reference, [core])
        return handler(core)

    return core_schema.no_info_plain_validator_function(
        validate, serialization=serialization, metadata={"pydantic_js_annotation_functions": [describe]}
    )


def _told(schema: CompiledValidator[Any], error: InvalidError, value: Any) -> ValidationError:
    """The same errors as pydantic's, which puts them at their place in the whole."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError(row["type"], _escaped(row["msg"]), row.get("params") or None),
            loc=tuple(row["loc"]),
            input=_at(value, row["loc"]),
        )
        for row in error.errors
    ]
    return ValidationError.from_exception_data(struct_name(schema.annotation), details)


def _escaped(message: str) -> Any:
    return message.replace("{", "{{").replace("}", "}}") if "{" in message else message


def _at(value: Any, loc: list[str | int]) -> Any:
    for step in loc:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return value
    return value


def equivalent(annotation: Any, known: dict[Any, Any] | None = None) -> Any:
    """A type that says the same to pydantic: struct-like classes become models, rules ``pydantic.Field``.

    Parameters:
        annotation: any type that a schema may have.
        known: models made on the way here, for classes that contain themselves.
    """
    known = {} if known is None else known
    if (schema := compiled_among([annotation])) is not None:
        return equivalent(schema.annotation, known)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        described = compiled_among(arguments[1:])
        if described is not None:
            return equivalent(described, known)
        return _annotated(equivalent(arguments[0], known), arguments[1:])
    if origin in (Union, types.UnionType):
        return cast("Any", Union)[tuple(equivalent(option, known) for option in arguments if not is_unset(option))]
    if hasattr(annotation, "__pydantic_validator__"):
        return annotation
    fields = fields_of(annotation) if isinstance(origin or annotation, type) else None
    if fields is not None:
        return _model(annotation, fields, known)
    if origin is None or origin is typing.Literal:
        return annotation
    return types.GenericAlias(origin, tuple(_argument(argument, known) for argument in arguments))


def _argument(argument: Any, known: dict[Any, Any]) -> Any:
    return argument if argument is Ellipsis else equivalent(argument, known)


def _annotated(annotation: Any, metadata: tuple[Any, ...]) -> Any:
    translated = [_rules(item) if isinstance(item, Field) else item for item in metadata]
    nullable = any(isinstance(item, Field) and item.null for item in metadata)
    choices = next((item.choices for item in metadata if isinstance(item, Field) and item.choices is not None), None)
    if choices is not None:
        from ..structs import flattened

        annotation = cast("Any", typing.Literal)[tuple(flattened(choices))]
    made = cast("Any", typing.Annotated)[(annotation, *translated)]
    return cast("Any", Union)[made, None] if nullable else made


def _rules(field: Field) -> PydanticField:
    rules = {name: getattr(field, name) for name in _RULES if getattr(field, name) is not None}
    extra = {"format": _FORMATS[field.format]} if field.format in _FORMATS else None
    made: Callable[..., Any] = pydantic.Field
    return cast("PydanticField", made(json_schema_extra=extra, **rules))


def _model(annotation: Any, fields: list[StructField], known: dict[Any, Any]) -> Any:
    """The model of a struct-like class: one for each, wherever it is asked for."""
    origin: Any = get_origin(annotation) or annotation
    models: dict[Any, Any] = origin.__dict__.get("__plectrum_models__") or {}
    name = struct_name(annotation)
    made: Any = known.get(annotation) or models.get(annotation)
    if made is None:
        known[annotation] = name  # a forward reference, until there is a model
        members: dict[str, Any] = {field.name: _member(field, known) for field in fields}
        doc = _description(origin)
        made = known[annotation] = pydantic.create_model(name, __module__=origin.__module__, __doc__=doc, **members)
        made.model_rebuild(_types_namespace=_namespace(known))
        type.__setattr__(origin, "__plectrum_models__", {**models, annotation: made})
    return made


def _description(cls: Any) -> str | None:
    """The docstring, where pydantic shows it: of models, and not the one that ``dataclasses`` writes."""
    doc: str | None = cls.__doc__ if "__plectrum_generated_init__" in vars(cls) else None
    return None if doc is None or doc.startswith(f"{cls.__name__}(") else doc


def _namespace(known: Mapping[Any, Any]) -> dict[str, Any]:
    return {struct_name(cls): made for cls, made in known.items() if not isinstance(made, str)}


def _member(field: StructField, known: dict[Any, Any]) -> tuple[Any, Any]:
    annotation = equivalent(field.annotation, known)
    options: dict[str, Any] = {"alias": field.key} if field.key != field.name else {}
    if description := field.marked("description"):
        options["description"] = description
    if field.rules is not None:
        annotation = _annotated(annotation, (dataclasses.replace(field.rules, annotation=MISSING),))
    if field.factory is not None:
        options["default_factory"] = field.factory
    elif field.default is not MISSING and field.default is not UNSET:
        options["default"] = field.default
    elif not field.required or field.access == "read_only":
        options["default"] = None
    made: Callable[..., Any] = pydantic.Field
    return annotation, made(**options) if options else ...
