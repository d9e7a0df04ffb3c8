"""Struct-like classes → their declared fields: dataclass, ``TypedDict``, ``msgspec.Struct`` and ``Schema`` alike.

The one place that knows what each of them calls a field, a default and an alias; :mod:`plectrum.nodes` compiles what it
finds, the encoder and the query planner ask it what is written under which key.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args, get_origin

from .errors import SchemaError
from .params import MISSING, UNSET, Field, UnsetType

__all__ = [
    "StructField",
    "UndefinedNameError",
    "fields_of",
    "flattened",
    "is_typed_dict",
    "is_unset",
    "output_names",
    "struct_name",
    "unset_of",
]


#: What ``UUID.is_safe`` is where nobody knows.
UNKNOWN_SAFETY = uuid.SafeUUID.unknown


class UndefinedNameError(SchemaError):
    """An annotation names what is not defined, or not yet."""


@dataclasses.dataclass(frozen=True)
class StructField:
    """One declared field of a struct-like class.

    Parameters:
        name: attribute, or key of a ``TypedDict``.
        annotation: its type, evaluated.
        required: whether the class wants a value.
        alias: name on the wire, where the class gives one.
        default: value of an absent field, or :data:`MISSING`.
        factory: makes that value instead.
        rules: constraints that stand beside the annotation.
    """

    name: str
    annotation: Any
    required: bool
    alias: str | None = None
    default: Any = MISSING
    factory: Callable[[], Any] | None = None
    rules: Field | None = None

    @property
    def key(self) -> str:
        """Name on the wire."""
        return self.alias or self.marked("alias") or self.name

    @property
    def access(self) -> str | None:
        """``read_only``, ``write_only`` or ``None``."""
        return next((name for name in ("read_only", "write_only") if self.marked(name)), None)

    def marked(self, attribute: str) -> Any:
        """What the rules or the annotation's metadata say under this name; ``None`` where they say nothing."""
        for item in (self.rules, *_metadata(self.annotation)):
            value = getattr(item, attribute, None)
            if value is not None and value is not MISSING and not isinstance(item, str):
                return value
        return None


def fields_of(annotation: Any) -> list[StructField] | None:
    """The declared fields of a struct-like class, type arguments filled in; ``None`` for any other type.

    Parameters:
        annotation: a class, or a generic one with arguments (``Box[int]``).

    Errors:
        SchemaError: an annotation names something that is not defined where the class is.
    """
    cls = get_origin(annotation) or annotation
    if is_typed_dict(cls):
        hints = _hints(annotation)
        required: frozenset[str] = cls.__required_keys__
        return [_typed_dict_field(name, hint, _is_required(hint, name in required)) for name, hint in hints.items()]
    if dataclasses.is_dataclass(cls):
        hints = _hints(annotation)
        return [_dataclass_field(field, hints[field.name]) for field in dataclasses.fields(cls) if field.init]
    if hasattr(cls, "__struct_fields__"):
        return _msgspec_fields(cls, _hints(annotation))
    return None


def output_names(cls: Any) -> list[tuple[str, str]] | None:
    """``(attribute, key)`` of each field that is written; ``None`` where the class is not struct-like."""
    names: tuple[str, ...] | None = getattr(cls, "__struct_fields__", None)
    if names is not None:
        return list(zip(names, cls.__struct_encode_fields__, strict=True))
    if not dataclasses.is_dataclass(cls):
        fields = fields_of(cls)
        return None if fields is None else [(f.name, f.key) for f in fields if f.access != "write_only"]
    declared = {field.name: StructField(field.name, Any, False) for field in dataclasses.fields(cls)}
    if _has_rules(cls):
        declared |= {field.name: field for field in fields_of(cls) or ()}
    return [(f.name, f.key) for f in declared.values() if f.access != "write_only"]


def unset_of(cls: Any) -> Any:
    """What stands for an absent value in instances of a struct-like class."""
    if hasattr(cls, "__struct_fields__"):
        import msgspec

        return msgspec.UNSET
    return UNSET


def is_typed_dict(cls: Any) -> bool:
    """Whether a class is a ``TypedDict``, of ``typing`` or of ``typing_extensions``."""
    return hasattr(cls, "__required_keys__") and isinstance(cls, type) and issubclass(cls, dict)


def is_unset(option: Any) -> bool:
    """Whether a type stands for an absent value: ours or msgspec's."""
    return option is UnsetType or getattr(option, "__name__", "") == "UnsetType"


def struct_name(annotation: Any) -> str:
    """A name for people and for references: ``Box_int_`` for ``Box[int]``, as pydantic spells it."""
    origin = get_origin(annotation)
    if origin is None:
        return str(annotation.__name__)
    arguments = "_".join(
        struct_name(a) if hasattr(a, "__name__") or get_origin(a) else str(a) for a in get_args(annotation)
    )
    return f"{origin.__name__}_{arguments}_"


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation)[1:] if get_origin(annotation) is typing.Annotated else ()


def _has_rules(cls: Any) -> bool:
    """Whether a dataclass may say more of its fields than their names; annotations are read only where it does."""
    if any("plectrum" in field.metadata for field in dataclasses.fields(cls)):
        return True
    return any("Annotated" in str(field.type) for field in dataclasses.fields(cls))


def _hints(annotation: Any) -> dict[str, Any]:
    """The evaluated annotations of a class, with type arguments in place of type variables."""
    cls = get_origin(annotation) or annotation
    try:
        try:
            hints = typing.get_type_hints(cls, include_extras=True)
        except NameError:  # a class made inside of a function, that names itself
            hints = typing.get_type_hints(cls, localns={**vars(cls), cls.__name__: cls}, include_extras=True)
    except NameError as error:
        raise UndefinedNameError(
            f"{cls.__qualname__}: the annotation {error.name!r} is not defined where the class is. Define or import it "
            "at module level, not only under TYPE_CHECKING or inside of a function."
        ) from error
    if not getattr(cls, "__orig_bases__", None):
        return hints
    arguments = _arguments(cls, get_args(annotation))
    return {name: _substituted(hint, arguments.get(_owner(cls, name))) for name, hint in hints.items()}


def _owner(cls: Any, name: str) -> Any:
    bases: tuple[Any, ...] = cls.__mro__
    return next((base for base in bases if name in inspect.get_annotations(base)), cls)


def _arguments(cls: Any, given: tuple[Any, ...]) -> dict[Any, dict[Any, Any]]:
    """For a class and its generic bases, what each one's type variables stand for."""
    own = dict(zip(getattr(cls, "__parameters__", ()), given, strict=False))
    found = {cls: own}
    for base in getattr(cls, "__orig_bases__", ()):
        origin = get_origin(base)
        if origin is not None and origin is not typing.Generic:
            found.update(_arguments(origin, tuple(_substituted(argument, own) for argument in get_args(base))))
    return found


def _substituted(hint: Any, arguments: Mapping[Any, Any] | None) -> Any:
    if isinstance(hint, TypeVar):
        unknown = hint.__bound__ or Any
        return arguments.get(hint, unknown) if arguments else unknown
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type) or get_origin(hint) is None:
        return hint
    return hint[tuple(_substituted(parameter, arguments) for parameter in parameters)]


def _is_required(hint: Any, declared: bool) -> bool:
    """``__required_keys__`` knows nothing of ``NotRequired`` within annotations that are strings."""
    said = getattr(get_origin(hint), "_name", None)
    return declared if said not in ("Required", "NotRequired") else said == "Required"


def _typed_dict_field(name: str, hint: Any, required: bool) -> StructField:
    field = StructField(name, _unwrap(hint), required)
    default, factory = field.marked("default"), field.marked("default_factory")
    if any(isinstance(item, Field) and item.default is None for item in _metadata(field.annotation)):
        default = None
    elif default is None:
        default = MISSING
    absent = default is not MISSING or factory is not None or field.marked("required") is False
    return dataclasses.replace(field, required=required and not absent, default=default, factory=factory)


def _dataclass_field(field: dataclasses.Field[Any], hint: Any) -> StructField:
    default = MISSING if field.default is dataclasses.MISSING else field.default
    factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
    rules = field.metadata.get("plectrum")
    required = default is MISSING and factory is None
    return StructField(field.name, hint, required, None, default, factory, rules)


def _msgspec_fields(cls: Any, hints: dict[str, Any]) -> list[StructField]:
    import msgspec

    return [
        StructField(
            field.name,
            hints[field.name],
            field.required,
            field.encode_name if field.encode_name != field.name else None,
            _msgspec_default(field.default, msgspec),
            None if field.default_factory is msgspec.NODEFAULT else field.default_factory,
        )
        for field in msgspec.structs.fields(cls)
    ]


def _msgspec_default(default: Any, msgspec: Any) -> Any:
    if default is msgspec.NODEFAULT:
        return MISSING
    return UNSET if default is msgspec.UNSET else default


def _unwrap(hint: Any) -> Any:
    """``Required[X]``/``NotRequired[X]``/``ReadOnly[X]`` → ``X``."""
    while getattr(get_origin(hint), "_name", None) in ("Required", "NotRequired", "ReadOnly"):
        hint = get_args(hint)[0]
    return hint


def flattened(choices: Iterable[Any]) -> list[Any]:
    """The values of ``choices`` as Django takes them: values, ``(value, label)`` pairs, and groups of pairs."""
    values: list[Any] = []
    for choice in cast("Any", choices).items() if isinstance(choices, Mapping) else choices:
        if not isinstance(choice, (list, tuple)):
            values.append(choice)
            continue
        value, label = cast("Sequence[Any]", choice)
        is_group = isinstance(label, (list, tuple, Mapping))
        values += flattened(cast("Any", label)) if is_group else [value]
    return values
