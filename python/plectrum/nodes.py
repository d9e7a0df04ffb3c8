"""Type annotations → node descriptions, the JSON that the Rust schema compiler reads.

One :class:`Nodes` serves one API: it numbers the Python classes that validation has to build (structs, enums, pydantic
models) and keeps recursive types as definitions.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import inspect
import json
import types
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Union, get_args, get_origin

from . import _core
from .errors import SchemaError
from .params import MISSING, Field

__all__ = ["ClassEntry", "Nodes", "is_body_type"]

Node = dict[str, Any]

_LEAVES: dict[Any, str] = {
    Any: "any",
    object: "any",
    None: "null",
    type(None): "null",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    decimal.Decimal: "decimal",
    uuid.UUID: "uuid",
    datetime.date: "date",
    datetime.time: "time",
    datetime.datetime: "datetime",
    datetime.timedelta: "duration",
}
_CONTAINERS: dict[Any, str] = {
    list: "list",
    Sequence: "list",
    set: "set",
    AbstractSet: "set",
    frozenset: "frozenset",
}
_RULES: dict[str, tuple[str, ...]] = {
    "int": ("ge", "gt", "le", "lt", "multiple_of"),
    "float": ("ge", "gt", "le", "lt", "multiple_of"),
    "decimal": ("ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places"),
    "str": ("min_length", "max_length", "pattern", "strip"),
    "bytes": ("min_length", "max_length"),
    "list": ("min_length", "max_length"),
    "dict": ("min_length", "max_length"),
}
#: Members of a node that hold user values or other vocabularies, not nodes.
_OPAQUE = ("values", "describe", "default")
_ALL_RULES = sorted({rule for rules in _RULES.values() for rule in rules})


@dataclasses.dataclass(frozen=True)
class ClassEntry:
    """A Python class that validation builds, as the binding wants it.

    Parameters:
        kind: ``call`` (keywords), ``record`` (attributes set on a bare instance), ``dict``, ``enum`` or ``foreign``.
        target: the class, or for ``foreign`` a callable from JSON bytes to an instance.
        names: field names in slot order (``call``, ``record``, ``dict``) or members (``enum``).
        defaults: for ``record``, what stands in for an absent slot: ``(value, None)``, ``(None, factory)`` or ``None``.
    """

    kind: str
    target: Any
    names: tuple[Any, ...] = ()
    defaults: tuple[tuple[Any, Any] | None, ...] = ()


class Nodes:
    """Compiles annotations; keeps what they share."""

    def __init__(self) -> None:
        self.classes: list[ClassEntry] = []
        self._numbers: dict[Any, int] = {}
        self._definitions: list[Node | None] = []
        self._indices: dict[Any, int] = {}

    def schema(self, annotation: Any, rules: Field | None = None, where: str = "value") -> Node:
        """The description of ``annotation``: ``{"root": …, "definitions": […]}``.

        Parameters:
            annotation: a type, evaluated (not a string).
            rules: constraints that stand beside it (a parameter marker).
            where: the user's name for the value, for error messages.

        Errors:
            SchemaError: the type is not supported or a constraint does not fit it.
        """
        root = self.node(annotation, [rules] if rules else [], where)
        schema = self._with_definitions(root)
        try:
            _core.check_schema(json.dumps(schema))
        except ValueError as error:
            raise SchemaError(f"{where}: {error}.") from error
        return schema

    def node(self, annotation: Any, metadata: Sequence[Any], where: str) -> Node:
        """One node; ``metadata`` are the constraints collected on the way in, innermost last."""
        origin = get_origin(annotation)
        if origin is typing.Annotated:
            inner, *extra = get_args(annotation)
            return self.node(inner, [*extra, *metadata], where)
        if isinstance(annotation, typing.NewType):
            return self.node(annotation.__supertype__, metadata, where)
        if type(annotation).__name__ == "TypeAliasType":
            return self.node(annotation.__value__, metadata, where)
        if origin in (Union, types.UnionType):
            return self._union(get_args(annotation), metadata, where)
        if origin is typing.Literal:
            return {"type": "literal", "values": [_scalar(value, where) for value in get_args(annotation)]}
        node = self._plain(annotation, origin, where)
        return self._constrain(node, metadata, where)

    def describe(self, node: Node) -> Node:
        """A described answer, as :meth:`schema` gives a type: for OpenAPI only, never validated."""
        return self._with_definitions(node)

    def record(self, name: str, fields: list[tuple[str, Node]]) -> Node:
        """A struct that no class stands for; the same name and fields give the same struct again."""
        key = (name, json.dumps(fields, sort_keys=True, default=repr))
        described = [{"name": field, "node": node, "required": True} for field, node in fields]
        number = self._number_of(key, ClassEntry("dict", dict, tuple(field for field, _ in fields)))
        index = self._indices.get(key)
        if index is None:
            index = self._indices[key] = len(self._definitions)
            self._definitions.append({"type": "struct", "name": name, "class": number, "fields": described})
        return {"type": "reference", "index": index}

    def _with_definitions(self, root: Node) -> Node:
        """``root`` with the definitions it reaches, numbered anew: every schema stands alone."""
        numbers: dict[int, int] = {}
        definitions: list[Any] = []

        def renumber(part: Any) -> Any:
            if isinstance(part, list):
                return [renumber(item) for item in typing.cast("Sequence[Any]", part)]
            if not isinstance(part, dict):
                return part
            node = typing.cast("Node", part)
            if node.get("type") == "reference":
                return {"type": "reference", "index": number(node["index"])}
            return {key: renumber(value) if key not in _OPAQUE else value for key, value in node.items()}

        def number(index: int) -> int:
            if index not in numbers:
                numbers[index] = len(definitions)
                definitions.append(None)
                definitions[numbers[index]] = renumber(self._definitions[index])
            return numbers[index]

        return {"root": renumber(root), "definitions": definitions}

    def _plain(self, annotation: Any, origin: Any, where: str) -> Node:
        try:
            leaf = _LEAVES.get(annotation)
        except TypeError:
            leaf = None
        if leaf:
            return {"type": leaf}
        base = origin or annotation
        if base in _CONTAINERS:
            (item,) = get_args(annotation) or (Any,)
            return {"type": "list", "container": _CONTAINERS[base], "item": self.node(item, [], f"{where}[]")}
        if base is tuple:
            return self._tuple(get_args(annotation), where)
        if base in (dict, Mapping):
            key, value = get_args(annotation) or (str, Any)
            return {"type": "dict", "key": self.node(key, [], where), "value": self.node(value, [], where)}
        if isinstance(base, type):
            return self._class(base, where)
        raise _unsupported(where, repr(annotation))

    def _tuple(self, items: tuple[Any, ...], where: str) -> Node:
        if len(items) == 2 and items[1] is Ellipsis:
            return {"type": "list", "container": "tuple", "item": self.node(items[0], [], f"{where}[]")}
        if not items:
            return {"type": "list", "container": "tuple", "item": {"type": "any"}}
        return {"type": "tuple", "items": [self.node(item, [], f"{where}[{i}]") for i, item in enumerate(items)]}

    def _union(self, options: tuple[Any, ...], metadata: Sequence[Any], where: str) -> Node:
        rest = [option for option in options if option is not type(None)]
        if len(rest) == 1:
            inner = self.node(rest[0], metadata, where)
        else:
            discriminator = next((m.discriminator for m in metadata if getattr(m, "discriminator", None)), None)
            inner = {"type": "union", "options": [self.node(option, [], where) for option in rest]}
            if discriminator:
                inner["discriminator"] = discriminator
        return inner if len(rest) == len(options) else {"type": "optional", "inner": inner}

    def _constrain(self, node: Node, metadata: Sequence[Any], where: str) -> Node:
        rules = {name: value for item in metadata for name, value in _rules_of(item)}
        allowed = _RULES.get(node["type"], ())
        for name, value in rules.items():
            if name not in allowed:
                fits = ", ".join(kind for kind, names in _RULES.items() if name in names)
                raise SchemaError(
                    f"{where}: the constraint {name}={value!r} does not fit the type {node['type']!r}. "
                    f"{name} goes with: {fits}."
                )
            node[name] = _number(value)
        return node

    def _class(self, cls: Any, where: str) -> Node:
        if issubclass(cls, enum.Enum):
            members: tuple[enum.Enum, ...] = tuple(cls)
            values = [_scalar(member.value, where) for member in members]
            return {"type": "enum", "class": self._number_of(cls, ClassEntry("enum", cls, members)), "values": values}
        if hasattr(cls, "__pydantic_validator__"):
            entry = ClassEntry("foreign", _pydantic(cls))
            describe: Any = cls.model_json_schema(ref_template="#/components/schemas/{model}")
            return {"type": "foreign", "class": self._number_of(cls, entry), "describe": describe}
        fields = fields_of(cls)
        if fields is None:
            raise _unsupported(where, f"{cls.__module__}.{cls.__qualname__}")
        return self._struct(cls, fields)

    def _struct(self, cls: type, fields: list[StructField]) -> Node:
        index = self._indices.get(cls)
        if index is not None:
            return {"type": "reference", "index": index}
        index = self._indices[cls] = len(self._definitions)
        self._definitions.append(None)
        entry = _entry(cls, fields)
        try:
            described = [self._field(field, cls) for field in fields]
        except SchemaError as error:
            raise error.at(cls) from error
        node = {
            "type": "struct",
            "name": cls.__name__,
            "class": self._number_of(cls, entry),
            "fields": described,
            "extra": "forbid" if _forbids_extra(cls) else "ignore",
        }
        self._definitions[index] = node
        return {"type": "reference", "index": index}

    def _field(self, field: StructField, cls: type) -> Node:
        where = f"{cls.__name__}.{field.name}"
        described: Node = {
            "name": field.name,
            "node": self.node(field.annotation, [field.rules] if field.rules else [], where),
            "required": field.required,
        }
        alias = field.alias or _first(field.annotation, "alias")
        if alias:
            described["alias"] = alias
        description = _first(field.annotation, "description") or (field.rules and field.rules.description)
        if description:
            described["description"] = description
        if isinstance(field.default, (str, int, float, bool)) or (field.default is None):
            described["default"] = field.default
        return described

    def _number_of(self, cls: Any, entry: ClassEntry) -> int:
        number = self._numbers.get(cls)
        if number is None:
            number = self._numbers[cls] = len(self.classes)
            self.classes.append(entry)
        return number


@dataclasses.dataclass(frozen=True)
class StructField:
    """One declared field of a struct-like class."""

    name: str
    annotation: Any
    required: bool
    alias: str | None = None
    default: Any = MISSING
    rules: Field | None = None


def is_body_type(annotation: Any) -> bool:
    """Whether an unmarked parameter of this type is the JSON body rather than a query parameter."""
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return is_body_type(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return any(is_body_type(option) for option in get_args(annotation))
    base = origin or annotation
    if base in (list, tuple, set, frozenset, Sequence):
        return any(is_body_type(item) for item in get_args(annotation))
    if base in (dict, Mapping):
        return True
    if not inspect.isclass(base) or issubclass(base, enum.Enum):
        return False
    return hasattr(base, "__pydantic_validator__") or fields_of(base) is not None


def fields_of(cls: Any) -> list[StructField] | None:
    """The declared fields of a dataclass, TypedDict, msgspec.Struct or Schema; ``None`` for any other class."""
    if typing.is_typeddict(cls):
        hints = typing.get_type_hints(cls, include_extras=True)
        required: frozenset[str] = cls.__required_keys__
        return [StructField(name, _unwrap(hint), name in required) for name, hint in hints.items()]
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls, include_extras=True)
        return [_dataclass_field(field, hints[field.name]) for field in dataclasses.fields(cls) if field.init]
    if hasattr(cls, "__struct_fields__"):
        return _msgspec_fields(cls)
    return None


def _entry(cls: type, fields: list[StructField]) -> ClassEntry:
    names = tuple(field.name for field in fields)
    if typing.is_typeddict(cls):
        return ClassEntry("dict", cls, names)
    if _is_plain(cls):
        return ClassEntry("record", cls, names, tuple(_default(field) for field in dataclasses.fields(cls)))
    return ClassEntry("call", cls, names)


def _is_plain(cls: type) -> bool:
    """Whether making an instance is nothing but setting its attributes: a Schema without code of its own there."""
    return (
        getattr(cls, "__plectrum_generated_init__", None) is cls.__init__  # type: ignore[misc]
        and not _overrides(cls, "__new__")
        and not _overrides(cls, "__setattr__")
        and not hasattr(cls, "__post_init__")
        and not hasattr(cls, "__slots__")
    )


def _overrides(cls: type, name: str) -> bool:
    return getattr(cls, name) is not getattr(object, name)


def _default(field: dataclasses.Field[Any]) -> tuple[Any, Any] | None:
    if field.default is not dataclasses.MISSING:
        return field.default, None
    if field.default_factory is not dataclasses.MISSING:
        return None, field.default_factory
    return None


def _dataclass_field(field: dataclasses.Field[Any], hint: Any) -> StructField:
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    rules = field.metadata.get("plectrum")
    default = MISSING if field.default is dataclasses.MISSING else field.default
    return StructField(field.name, hint, required, rules.alias if rules else None, default, rules)


def _msgspec_fields(cls: Any) -> list[StructField]:
    import msgspec

    hints = typing.get_type_hints(cls, include_extras=True)
    fields = msgspec.structs.fields(cls)
    return [
        StructField(
            field.name,
            hints[field.name],
            field.required,
            field.encode_name if field.encode_name != field.name else None,
            MISSING if field.default is msgspec.NODEFAULT else field.default,
        )
        for field in fields
    ]


def _unwrap(hint: Any) -> Any:
    """``Required[X]``/``NotRequired[X]``/``ReadOnly[X]`` → ``X``."""
    while getattr(get_origin(hint), "_name", None) in ("Required", "NotRequired", "ReadOnly"):
        hint = get_args(hint)[0]
    return hint


def _pydantic(cls: Any) -> Callable[[bytes], Any]:
    validator: Callable[[bytes], Any] = cls.__pydantic_validator__.validate_json
    return validator


def _forbids_extra(cls: Any) -> bool:
    config = getattr(cls, "__struct_config__", None)
    return bool(config and config.forbid_unknown_fields)


def _rules_of(item: Any) -> list[tuple[str, Any]]:
    """Constraints of one metadata object: ours, annotated-types', msgspec's or pydantic's; all name them alike."""
    found = [(name, getattr(item, name)) for name in _ALL_RULES if getattr(item, name, None) is not None]
    for inner in getattr(item, "metadata", None) or ():
        found += _rules_of(inner)
    return found


def _first(annotation: Any, attribute: str) -> Any:
    if get_origin(annotation) is typing.Annotated:
        for item in get_args(annotation)[1:]:
            value = getattr(item, attribute, None)
            if value is not None:
                return value
    return None


def _number(value: Any) -> Any:
    """A bound as JSON: decimals keep their digits as a string."""
    return str(value) if isinstance(value, decimal.Decimal) else value


def _unsupported(where: str, name: str) -> SchemaError:
    return SchemaError(
        f"{where}: {name} is not a type Plectrum can validate. Use a standard type, a dataclass, TypedDict, "
        "msgspec.Struct, pydantic model or plectrum.Schema."
    )


def _scalar(value: Any, where: str) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise SchemaError(
        f"{where}: the value {value!r} of an enum or Literal is not a string, number, boolean or None; "
        "JSON has no form for it."
    )
