"""``Schema``: the base class of records, and the ways to a schema from other types."""

from __future__ import annotations

import contextlib
import dataclasses
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict, TypeVar, cast, dataclass_transform, overload

from .. import params
from ..errors import DECLARED_AT, SchemaError, line_of_caller
from ..params import MISSING, UNSET
from ..structs import UndefinedNameError, is_typed_dict
from .compiled import CompiledValidator

if TYPE_CHECKING:
    from django.db.models import Model

__all__ = ["Field", "Schema", "SchemaMeta"]

T = TypeVar("T")
_M = TypeVar("_M", bound="Model")

if TYPE_CHECKING:
    # As a function, so that `tags: list[str] = Field(default_factory=list)` has the type of its field.
    def Field(  # noqa: N802, D103
        annotation: Any = ...,
        *,
        default: Any = ...,
        default_factory: Callable[[], Any] = ...,
        alias: str | None = None,
        description: str | None = None,
        examples: Sequence[Any] = (),
        ge: Any = None,
        gt: Any = None,
        le: Any = None,
        lt: Any = None,
        multiple_of: Any = None,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        count_zeros: bool | None = None,
        strip: bool | None = None,
        format: str | None = None,
        null: bool = False,
        blank: bool | None = None,
        no_nul: bool | None = None,
        choices: Iterable[Any] | None = None,
        validators: Iterable[Callable[[Any], Any]] = (),
        required: bool | None = None,
        read_only: bool = False,
        write_only: bool = False,
        output: Callable[[Any], Any] | None = None,
    ) -> Any: ...

else:
    Field = params.Field


class SchemaMeta(ABCMeta):
    """What a schema class can do; on the class and not on its instances, whose names are the user's own."""

    @overload
    def __call__(cls, fields: Mapping[str, Any], /, *, name: str = "Schema") -> CompiledValidator[dict[str, Any]]: ...
    @overload
    def __call__(cls: type[T], *args: Any, **values: Any) -> T: ...
    def __call__(cls, *args: Any, **values: Any) -> Any:
        """``Schema({…})`` is a schema of dicts; a subclass called with values is a record, as any class."""
        if cls is Schema:
            return from_fields(*args, **values)
        return super().__call__(*args, **values)

    def __new__(  # noqa: D102
        mcls, name: str, bases: tuple[type, ...], body: dict[str, Any], *, slots: bool = False, **options: Any
    ) -> Any:
        made = super().__new__(mcls, name, bases, body, **options)
        # With slots, `dataclasses` makes a second class of the first one's fields, and comes by here again.
        return _as_dataclass(made, slots) if bases and "__dataclass_fields__" not in vars(made) else made

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **_options: Any) -> None:
        super().__init__(name, bases, body)
        if "__plectrum_generated_init__" in vars(cls):
            # What names a class that is yet to come is compiled when it is first used.
            with contextlib.suppress(UndefinedNameError):
                _ = _compiled(cls)

    @property
    def compiled(cls: type[T]) -> CompiledValidator[T]:
        """The compiled form, made when it is first asked for.

        Errors:
            SchemaError: a type or a constraint is wrong.
        """
        found: CompiledValidator[T] | None = vars(cls).get("__plectrum_compiled__")
        if found is None:
            found = CompiledValidator(cls)
            type.__setattr__(cls, "__plectrum_compiled__", found)
        return found

    def validate(cls: type[T], data: object) -> T:
        """As :meth:`CompiledValidator.validate`."""
        return _compiled(cls).validate(data)

    def validate_many(cls: type[T], rows: Iterable[object]) -> list[T]:
        """As :meth:`CompiledValidator.validate_many`."""
        return _compiled(cls).validate_many(rows)

    def validate_json(cls: type[T], data: bytes | bytearray | memoryview | str) -> T:
        """As :meth:`CompiledValidator.validate_json`."""
        return _compiled(cls).validate_json(data)

    def serialize(cls: type[T], value: object) -> Any:
        """As :meth:`CompiledValidator.serialize`."""
        return _compiled(cls).serialize(value)

    def serialize_many(cls: type[T], values: Iterable[object]) -> list[Any]:
        """As :meth:`CompiledValidator.serialize_many`."""
        return _compiled(cls).serialize_many(values)

    def serialize_to_bytes(cls: type[T], value: object) -> bytes:
        """As :meth:`CompiledValidator.serialize_to_bytes`."""
        return _compiled(cls).serialize_to_bytes(value)

    def json_schema(cls: type[T]) -> dict[str, Any]:
        """As :meth:`CompiledValidator.json_schema`."""
        return _compiled(cls).json_schema()

    def __get_pydantic_core_schema__(cls: type[T], source: Any, handler: Any) -> Any:
        """What pydantic asks of a class it finds in an annotation."""
        return _compiled(cls).__get_pydantic_core_schema__(source, handler)

    def from_dataclass(cls, source: type[T]) -> CompiledValidator[T]:
        """A schema of a dataclass; validates to its instances.

        Errors:
            SchemaError: it is no dataclass, or a type or a constraint of it is wrong.
        """
        return _of_kind(source, "a dataclass", dataclasses.is_dataclass(source))

    def from_typed_dict(cls, source: type[T]) -> CompiledValidator[T]:
        """A schema of a ``TypedDict``; validates to dicts. Errors as :meth:`from_dataclass`."""
        return _of_kind(source, "a TypedDict", is_typed_dict(source))

    def from_msgspec(cls, source: type[T]) -> CompiledValidator[T]:
        """A schema of a ``msgspec.Struct``; validates to its instances. Errors as :meth:`from_dataclass`."""
        return _of_kind(source, "a msgspec.Struct", hasattr(source, "__struct_fields__"))

    def from_pydantic(cls, source: type[T]) -> CompiledValidator[T]:
        """A schema of a pydantic model, which goes on doing its own work. Errors as :meth:`from_dataclass`."""
        return _of_kind(source, "a pydantic model", hasattr(source, "__pydantic_validator__"))

    def from_type(cls, source: type[T]) -> CompiledValidator[T]:
        """A schema of any type: ``list[Author]``, ``int | str``, an enum. Errors as :meth:`from_dataclass`."""
        return CompiledValidator(source)

    def from_model(
        cls,
        model: type[_M],
        *,
        fields: Iterable[str] | None = None,
        exclude: Iterable[str] = (),
        nested: Mapping[str, Any] | None = None,
    ) -> CompiledValidator[dict[str, Any]]:
        """A schema of a Django model; see :func:`plectrum.schema.models.from_model`."""
        from .models import from_model

        return from_model(model, fields=fields, exclude=exclude, nested=nested)


def _compiled(cls: type[T]) -> CompiledValidator[T]:
    compiled: CompiledValidator[T] = cast("Any", cls).compiled
    return compiled


def _of_kind(source: type[T], kind: str, fits: bool) -> CompiledValidator[T]:
    if not fits:
        raise SchemaError(f"{source!r} is not {kind}. Schema.from_type() takes any type.")
    return CompiledValidator(source)


def from_fields(fields: Mapping[str, Any], /, *, name: str = "Schema") -> CompiledValidator[dict[str, Any]]:
    """A schema of dicts from names and their fields.

    Parameters:
        fields: name → :class:`Field` with a type, or just a type.
        name: for messages and JSON Schema.

    Errors:
        SchemaError: a field has no type, or a type or a constraint is wrong.
    """
    members: dict[str, Any] = {}
    for key, field in fields.items():
        if isinstance(field, params.Field) and field.annotation is MISSING:
            raise SchemaError(f"{name}.{key}: a Field without a type. Write Field(str, …).")
        if isinstance(field, params.Field):
            annotation: Any = Annotated[field.annotation, field]
            members[key] = annotation if field.required is not False else NotRequired[annotation]
        else:
            members[key] = field
    functional: Any = TypedDict  # with keys that are known only now
    made = functional(name, members)
    setattr(made, DECLARED_AT, line_of_caller())
    return CompiledValidator(made)


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class Schema(metaclass=SchemaMeta):
    """Base class of records: annotations are fields, ``Annotated`` and :class:`Field` give their rules.

    A subclass is a keyword-only dataclass, so ``dataclasses.asdict``, ``replace`` and pattern matching work::

        class Person(Schema):
            name: Annotated[str, MaxLength(100)]
            tags: list[str] = Field(default_factory=list)


        Person.validate({"name": "Ada"})

    ``class Person(Schema, slots=True)`` gives it ``__slots__``: smaller, and made and written faster.

    Called itself with a mapping, it makes a schema of dicts: ``Schema({"name": Field(str, max_length=100)})``.

    Errors:
        SchemaError: raised where the class is defined, if a constraint does not fit its type; where its types name what
            is defined later, when it is first used.
    """

    if TYPE_CHECKING:
        # What mypy reads; other checkers take the metaclass's `__call__`, which is what runs.
        def __new__(  # noqa: D102
            cls, fields: Mapping[str, Any], /, *, name: str = "Schema"
        ) -> CompiledValidator[dict[str, Any]]: ...

    __slots__ = ()


def _as_dataclass(cls: Any, slots: bool) -> Any:
    body: dict[str, Any] = {**cls.__dict__}
    for name, value in body.items():
        if isinstance(value, params.Field):
            setattr(cls, name, _dataclass_field(value))
    own_init = "__init__" in body
    made: Any = dataclasses.dataclass(kw_only=True, slots=slots, weakref_slot=slots)(cls)
    #: The generated ``__init__``: where a class still has it, Rust sets the attributes itself.
    made.__plectrum_generated_init__ = None if own_init else made.__init__
    return made


def _dataclass_field(rules: params.Field) -> Any:
    metadata = {"plectrum": rules}
    if rules.default_factory is not None:
        return dataclasses.field(default_factory=rules.default_factory, metadata=metadata)
    if rules.default is not MISSING:
        return dataclasses.field(default=rules.default, metadata=metadata)
    if rules.read_only:
        return dataclasses.field(default=UNSET, metadata=metadata)
    return dataclasses.field(metadata=metadata)
