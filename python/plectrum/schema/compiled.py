"""``CompiledValidator``: a type, compiled once; validates to it and writes its values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

from .. import _core
from ..errors import SchemaError
from ..nodes import Nodes
from ..params import MISSING
from ..structs import StructField, fields_of

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    # So that mypy gives `Schema({…})` its type: it wants a subclass where `__new__` returns something else.
    from .record import Schema as _Typed
else:
    _Typed = object

__all__ = ["CompiledValidator", "FieldInfo"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class FieldInfo:
    """A field of a schema, for code that looks.

    Parameters:
        name: attribute or key in Python.
        key: name on the wire.
        annotation: its type.
        required: whether input without it is refused.
        default: what stands in where it is absent; ``MISSING`` where nothing does, or where a factory makes it.
        access: ``read_only``, ``write_only`` or ``None``.
        description: for people.
    """

    name: str
    key: str
    annotation: Any
    required: bool
    default: Any = MISSING
    access: str | None = None
    description: str | None = None


class CompiledValidator(_core.Validator[T], _Typed):
    """A compiled type: what ``Schema({…})`` and ``Schema.from_…`` make, and ``compiled`` of a :class:`Schema` class.

    It is a type too: ``Annotated[dict[str, Any], schema]`` in a handler's signature, or a value type within another
    schema.

    Parameters:
        annotation: any type that a route's parameter may have.
        model: the Django model that ``unique`` and ``serialize_queryset`` ask.
        output: for values on their way out: read-only fields are taken, write-only ones are not.

    Errors:
        SchemaError: a type or a constraint is wrong; names the field and the fix.
    """

    def __new__(
        cls, annotation: Any, *, model: type[Model] | None = None, output: bool = False
    ) -> CompiledValidator[T]:
        """Compiles; see the class."""
        nodes = Nodes(output=output)
        where = getattr(annotation, "__name__", None) or repr(annotation)
        description = nodes.schema(annotation, where=where)
        return super().__new__(cls, json.dumps(description), nodes.classes)

    def __init__(self, annotation: Any, *, model: type[Model] | None = None, output: bool = False) -> None:
        self.annotation = annotation
        self.model = model

    def __repr__(self) -> str:
        name = getattr(self.annotation, "__name__", None) or repr(self.annotation)
        return f"<CompiledValidator of {name}>"

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """The fields by name, in order; empty for a type that has none."""
        return {field.name: _info(field) for field in fields_of(self.annotation) or ()}

    def validate(self, data: object, *, unique: bool = False, instance: object = None) -> T:
        """Validates a Python value: mappings for objects, JSON's values, and values of the field types themselves.

        Parameters:
            data: the input. An instance of the schema's own class is taken as it is.
            unique: ask the database for rows that stand in the way (``unique``, ``unique_together``,
                ``UniqueConstraint``); needs a schema of a Django model.
            instance: the model instance that is being changed and does not stand in its own way.

        Errors:
            InvalidError: with everything that is wrong.
        """
        value = super().validate(data)
        if unique:
            self._check_unique([value], instance, many=False)
        return value

    def validate_many(self, rows: Iterable[object], *, unique: bool = False) -> list[T]:
        """Validates every value of an iterable, all or none; with ``unique`` one query per check, not per row.

        Errors:
            InvalidError: with everything that is wrong in any of them, each ``loc`` beginning with its position.
        """
        values = super().validate_many(rows)
        if unique:
            self._check_unique(values, None, many=True)
        return values

    def serialize(self, value: object) -> Any:
        """A value as JSON has it: dicts, lists, strings, numbers, booleans and ``None``.

        Parameters:
            value: an instance, a mapping of field names, or a Django model instance.

        Errors:
            AttributeError, KeyError: a field is not there.
        """
        return self.load(self.dump(value))

    def serialize_many(self, values: Iterable[object]) -> list[Any]:
        """A list of :meth:`serialize`, in one crossing."""
        loaded: list[Any] = self.load(self.dump_many(values))
        return loaded

    def serialize_to_bytes(self, value: object, *, many: bool = False) -> bytes:
        """JSON bytes of a value, or of an iterable of them; what routes answer for the same value."""
        return self.dump_many(cast("Iterable[object]", value)) if many else self.dump(value)

    def serialize_instance(self, instance: object) -> Any:
        """As :meth:`serialize`, under the name that Django code looks for."""
        return self.load(self.dump(instance))

    def serialize_values_list(self, rows: Iterable[Sequence[object]], columns: Sequence[str] | None = None) -> bytes:
        """Rows of ``QuerySet.values_list`` as a JSON array of objects.

        Parameters:
            rows: tuples.
            columns: the field names in their order; all fields that are written where absent.
        """
        names = columns if columns is not None else [f.name for f in self.fields.values() if f.access != "write_only"]
        return self.dump_rows(rows, tuple(names))

    def serialize_queryset(self, queryset: QuerySet[Any]) -> bytes:
        """The rows of a queryset as JSON bytes: planned by Django, read by its connection, written by Rust.

        No model instances are made, and only the columns of the schema are read.

        Errors:
            PlanError: the queryset or a field cannot be planned.
        """
        from .rows import queryset_bytes

        return queryset_bytes(self, queryset)

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12, self-contained: definitions under ``$defs``."""
        schema, definitions = (json.loads(text) for text in self.describe("#/$defs/"))
        reference = schema.get("$ref", "").removeprefix("#/$defs/")
        if len(schema) == 1 and reference and f"#/$defs/{reference}" not in json.dumps(definitions):
            schema = definitions.pop(reference)
        found: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        return {**found, "$defs": definitions} if definitions else found

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        """What pydantic asks of ``Annotated[…, schema]``."""
        from .for_pydantic import core_schema_of

        return core_schema_of(self)

    def _check_unique(self, values: Sequence[Any], instance: object, *, many: bool) -> None:
        if self.model is None:
            raise SchemaError(f"{self!r}: unique=True asks a model's table. Make the schema with Schema.from_model().")
        from .unique import check_unique

        check_unique(self, values, instance, many=many)


def _info(field: StructField) -> FieldInfo:
    access = field.access
    annotation = field.annotation
    while get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    return FieldInfo(
        field.name,
        field.key,
        annotation,
        field.required and access != "read_only",
        field.default,
        access,
        field.marked("description"),
    )
