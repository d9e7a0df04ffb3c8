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
from typing import Any, Union, cast, get_args, get_origin

import annotated_types

from . import _core
from .errors import SchemaError
from .params import MISSING, UNSET, Field
from .structs import StructField, fields_of, flattened, is_typed_dict, is_unset, struct_name, unset_of
from .uploads import UploadFile

__all__ = ["ClassEntry", "Nodes", "compiled_among", "is_body_type", "is_upload"]

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
    "decimal": ("ge", "gt", "le", "lt", "multiple_of", "max_digits", "decimal_places", "count_zeros"),
    "str": ("min_length", "max_length", "pattern", "format", "strip", "blank", "no_nul"),
    "bytes": ("min_length", "max_length"),
    "list": ("min_length", "max_length"),
    "dict": ("min_length", "max_length"),
    "upload": ("max_size", "media_types"),
}
#: Members of a node that hold user values or other vocabularies, not nodes.
_OPAQUE = ("values", "describe", "default", "examples")
_ALL_RULES = sorted({rule for rules in _RULES.values() for rule in rules})


@dataclasses.dataclass(frozen=True)
class ClassEntry:
    """A Python class that validation builds, as the binding wants it.

    Parameters:
        kind: ``call`` (keywords), ``record`` (attributes set on a bare instance), ``dict``, ``enum``, ``foreign`` or
            ``checks``.
        target: the class; for ``foreign`` a callable from JSON bytes to an instance; for ``checks`` one from a value to
            the value and a list of ``(code, message)``.
        names: field names in slot order (``call``, ``record``, ``dict``) or members (``enum``).
        defaults: for ``record`` and ``dict``, what stands in for an absent slot: ``(value, None)``,
            ``(None, factory)`` or ``None``.
        outputs: what is called with a slot's value when it is written; ``None`` where it is written as it is.
        unset: what stands for no value in a slot.
        from_value: for ``foreign``, a callable from a Python value to an instance.
    """

    kind: str
    target: Any
    names: tuple[Any, ...] = ()
    defaults: tuple[tuple[Any, Any] | None, ...] = ()
    outputs: tuple[Callable[[Any], Any] | None, ...] = ()
    from_value: Callable[[Any], Any] | None = None
    unset: Any = UNSET


class Nodes:
    """Compiles annotations; keeps what they share.

    Parameters:
        output: the types are of values on their way out: read-only fields are like any other, write-only ones none.
    """

    def __init__(self, *, output: bool = False) -> None:
        self._output = output
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
            if str(error).startswith(f"{where}.") and isinstance(annotation, type):  # it names the class's field
                raise SchemaError(f"{error}.").at(annotation) from error
            raise SchemaError(f"{where}: {error}.") from error
        return schema

    def node(self, annotation: Any, metadata: Sequence[Any], where: str) -> Node:
        """One node; ``metadata`` are the constraints collected on the way in, innermost last."""
        origin = get_origin(annotation)
        if origin is typing.Annotated:
            inner, *marks = get_args(annotation)
            # `Annotated[str, Slug]`, where `Slug` is an annotated type of its own, means its rules.
            extra = [rule for mark in marks for rule in (get_args(mark)[1:] if _is_annotated(mark) else (mark,))]
            schema = compiled_among(extra)
            return self.node(inner if schema is None else schema.annotation, [*extra, *metadata], where)
        if isinstance(annotation, typing.NewType):
            return self.node(annotation.__supertype__, metadata, where)
        if type(annotation).__name__ == "TypeAliasType":
            return self.node(annotation.__value__, metadata, where)
        if origin in (Union, types.UnionType):
            return self._union(get_args(annotation), metadata, where)
        if origin is typing.Literal:
            node = {"type": "literal", "values": [_scalar(value, where) for value in get_args(annotation)]}
        else:
            node = self._plain(annotation, origin, where)
        return self._finish(node, metadata, where)

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
            return self._class(base, annotation, where)
        if (schema := compiled_among([annotation])) is not None:
            return self.node(schema.annotation, [], where)
        raise _unsupported(where, repr(annotation))

    def _tuple(self, items: tuple[Any, ...], where: str) -> Node:
        if len(items) == 2 and items[1] is Ellipsis:
            return {"type": "list", "container": "tuple", "item": self.node(items[0], [], f"{where}[]")}
        if not items:
            return {"type": "list", "container": "tuple", "item": {"type": "any"}}
        return {"type": "tuple", "items": [self.node(item, [], f"{where}[{i}]") for i, item in enumerate(items)]}

    def _union(self, options: tuple[Any, ...], metadata: Sequence[Any], where: str) -> Node:
        options = tuple(option for option in options if not is_unset(option))
        rest = [option for option in options if option is not type(None)]
        if len(rest) == 1:
            inner = self.node(rest[0], metadata, where)
        else:
            discriminator = next((m.discriminator for m in metadata if getattr(m, "discriminator", None)), None)
            inner = {"type": "union", "options": [self.node(option, [], where) for option in rest]}
            if discriminator:
                inner["discriminator"] = discriminator
            inner = self._finish(inner, metadata, where)
        return inner if len(rest) == len(options) else _optional(inner)

    def _finish(self, node: Node, metadata: Sequence[Any], where: str) -> Node:
        """What stands beside a type: constraints, choices, the user's own checks, ``null``."""
        markers = [item for item in metadata if isinstance(item, Field)]
        choices = next((item.choices for item in markers if item.choices is not None), None)
        if choices is not None:
            values = [_scalar(value, where) for value in flattened(choices)]
            empty = [""] if any(item.blank for item in markers) and "" not in values else []
            node = {"type": "literal", "values": values + empty}
        else:
            node = self._constrain(node, metadata, where)
        validators = [check for item in markers for check in item.validators]
        validators += [_predicate(item.func) for item in metadata if isinstance(item, annotated_types.Predicate)]
        if validators:
            entry = ClassEntry("checks", Checks(tuple(validators)))
            node = {"type": "checked", "inner": node, "class": self._number_of(entry.target, entry)}
        return _optional(node) if any(item.null for item in markers) else node

    def _constrain(self, node: Node, metadata: Sequence[Any], where: str) -> Node:
        rules = {name: value for item in metadata for name, value in _rules_of(item)}
        inner = node.get("item")
        if inner is not None and inner["type"] == "upload":
            # Rules of files beside a list are meant for each.
            self._constrain(
                inner, [_Rules({name: rules.pop(name) for name in _RULES["upload"] if name in rules})], where
            )
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

    def _class(self, cls: Any, annotation: Any, where: str) -> Node:
        if issubclass(cls, UploadFile):
            return {"type": "upload"}
        if issubclass(cls, enum.Enum):
            members: tuple[enum.Enum, ...] = tuple(cls)
            values = [_scalar(member.value, where) for member in members]
            return {"type": "enum", "class": self._number_of(cls, ClassEntry("enum", cls, members)), "values": values}
        if hasattr(cls, "__pydantic_validator__"):
            validator = cls.__pydantic_validator__
            entry = ClassEntry("foreign", validator.validate_json, from_value=validator.validate_python)
            describe: Any = cls.model_json_schema(ref_template="#/components/schemas/{model}")
            return {"type": "foreign", "class": self._number_of(cls, entry), "describe": describe}
        fields = fields_of(annotation)
        if fields is None:
            raise _unsupported(where, f"{cls.__module__}.{cls.__qualname__}")
        if self._output:
            fields = [field for field in fields if field.access != "write_only"]
        return self._struct(cls, annotation, fields)

    def _struct(self, cls: type, annotation: Any, fields: list[StructField]) -> Node:
        index = self._indices.get(annotation)
        if index is not None:
            return {"type": "reference", "index": index}
        index = self._indices[annotation] = len(self._definitions)
        self._definitions.append(None)
        entry = _entry(cls, fields)
        try:
            described = [self._field(field, cls) for field in fields]
        except SchemaError as error:
            raise error.at(cls) from error
        node = {
            "type": "struct",
            "name": struct_name(annotation),
            "class": self._number_of(annotation, entry),
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
        if field.key != field.name:
            described["alias"] = field.key
        if description := field.marked("description"):
            described["description"] = description
        if examples := field.marked("examples"):
            described["examples"] = as_json(list(examples))
        if field.access and not self._output:
            described["access"] = field.access
        if isinstance(field.default, (str, int, float, bool)) or (field.default is None):
            described["default"] = field.default
        return described

    def _number_of(self, cls: Any, entry: ClassEntry) -> int:
        number = self._numbers.get(cls)
        if number is None:
            number = self._numbers[cls] = len(self.classes)
            self.classes.append(entry)
        return number


class Checks:
    """The user's own checks of a value, one after the other; all that fail are told."""

    __slots__ = ("validators",)

    def __init__(self, validators: tuple[Callable[[Any], Any], ...]) -> None:
        self.validators = validators

    def __call__(self, value: Any) -> tuple[Any, list[tuple[str, str]]]:
        """The value, and ``(code, message)`` of every check that refuses it."""
        errors: list[tuple[str, str]] = []
        for validator in self.validators:
            try:
                validator(value)
            except Exception as error:  # noqa: BLE001 - told or raised again
                errors += _told(error)
        return value, errors


def _told(error: Exception) -> list[tuple[str, str]]:
    """The codes and messages of Django's ``ValidationError``, or of a plain ``ValueError``."""
    inner = getattr(error, "error_list", None)
    if inner is not None:
        return [(one.code or "invalid", " ".join(map(str, one.messages))) for one in inner]
    if isinstance(error, (ValueError, AssertionError)):
        return [("value_error", str(error))]
    raise error


def _predicate(function: Callable[[Any], bool]) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not function(value):
            raise ValueError(f"Predicate {getattr(function, '__qualname__', function)} failed")

    return check


def as_json(value: Any) -> Any:
    """The JSON value that ``value`` would be answered as; ``None`` where it has none."""
    try:
        return json.loads(_core.encode(value))
    except (TypeError, ValueError, RecursionError):
        return None


def _optional(node: Node) -> Node:
    return node if node["type"] in ("optional", "null", "any") else {"type": "optional", "inner": node}


def compiled_among(items: Sequence[Any]) -> Any:
    """The first compiled schema (:class:`plectrum.schema.CompiledValidator`) of the items; ``None`` where none is."""
    for item in items:
        if isinstance(item, _core.Validator):
            return cast("Any", item)
    return None


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


def is_upload(annotation: Any) -> bool:
    """Whether an unmarked parameter of this type is an uploaded file, or a list of them."""
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return is_upload(get_args(annotation)[0])
    if origin in (Union, types.UnionType, list, tuple, Sequence):
        return any(is_upload(option) for option in get_args(annotation))
    return inspect.isclass(annotation) and issubclass(annotation, UploadFile)


def _entry(cls: type, fields: list[StructField]) -> ClassEntry:
    names = tuple(field.name for field in fields)
    outputs = tuple(field.marked("output") for field in fields)
    if is_typed_dict(cls):
        return ClassEntry("dict", cls, names, tuple(map(_default, fields)), outputs)
    if _is_plain(cls):
        # What is never in the input is unset, so that the attribute is there.
        unset = [(UNSET, None) if field.access == "read_only" else None for field in fields]
        defaults = tuple(_default(field) or absent for field, absent in zip(fields, unset, strict=True))
        return ClassEntry("record", cls, names, defaults, outputs)
    for field in fields:
        if field.access == "read_only" and field.required:
            raise SchemaError(
                f"{cls.__name__}.{field.name}: a read-only field is never in the input, and {cls.__name__} cannot be "
                "made without it. Give it a default."
            )
    return ClassEntry("call", cls, names, (), outputs, unset=unset_of(cls))


def _default(field: StructField) -> tuple[Any, Any] | None:
    if field.factory is not None:
        return None, field.factory
    if field.default is not MISSING:
        return field.default, None
    return None


def _is_plain(cls: type) -> bool:
    """Whether making an instance is nothing but setting its attributes: a Schema without code of its own there."""
    return (
        getattr(cls, "__plectrum_generated_init__", None) is cls.__init__  # type: ignore[misc]
        and not _overrides(cls, "__new__")
        and not _overrides(cls, "__setattr__")
        and not hasattr(cls, "__post_init__")
    )


def _overrides(cls: type, name: str) -> bool:
    return getattr(cls, name) is not getattr(object, name)


def _forbids_extra(cls: Any) -> bool:
    config = getattr(cls, "__struct_config__", None)
    return bool(config and config.forbid_unknown_fields)


def _is_annotated(item: Any) -> bool:
    return get_origin(item) is typing.Annotated


def _rules_of(item: Any) -> list[tuple[str, Any]]:
    """Constraints of one metadata object: ours, annotated-types', msgspec's or pydantic's; all name them alike."""
    if isinstance(item, str):  # a remark, whose `strip` and `format` are methods
        return []
    found = [(name, getattr(item, name)) for name in _ALL_RULES if getattr(item, name, None) is not None]
    for inner in getattr(item, "metadata", None) or ():
        found += _rules_of(inner)
    return found


class _Rules:
    """Constraints by name, as metadata."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self.__dict__.update(rules)


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
