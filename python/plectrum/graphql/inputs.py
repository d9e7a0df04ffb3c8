"""Parameters of functions: their types in the schema, and their values as Python's."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from django.core.exceptions import ValidationError as Invalid

from plectrum.errors import SchemaError, ValidationError
from plectrum.orm.internal import is_a
from plectrum.params import MISSING
from plectrum.params import File as FileRules
from plectrum.schema import CompiledValidator, InvalidError
from plectrum.structs import fields_of
from plectrum.uploads import UploadFile

from .annotations import File, Listed, Named, Nullable, Row, Shape, Struct, read_annotation
from .arguments import Shape as Asked
from .entries import INPUT, value_of
from .graph import Graph
from .info import Info
from .names import field_name
from .scalars import ID, Enum
from .sdl import block

__all__ = ["Argument", "Inputs", "Lookup"]

_UPLOAD: Final = '"""A file, sent in a multipart request."""\nscalar Upload'

#: GraphQL's names and values → Python's.
Reader = Callable[[Any], Any]
#: The argument in a shape, the shape's values, the request → what the function is given.
Read = Callable[[Any, list[Any], Info], Any]


@dataclass(frozen=True)
class Lookup:
    """A row that an argument names.

    Parameters:
        rows: of which it is the first.
        name: the model's, for people.
        argument: that names it.
    """

    rows: Any
    name: str
    argument: str

    def found(self, row: Any) -> Any:
        """The row.

        Errors:
            ValidationError: there is none.
        """
        if row is None:
            message = f"There is no such {self.name}."
            raise ValidationError([{"loc": [INPUT, self.argument], "type": "not_found", "msg": message}])
        return row


@dataclass(frozen=True)
class Argument:
    """A parameter as an argument.

    Parameters:
        name: in the schema.
        parameter: in Python.
        sdl: its type.
        read: its value, of the shape and the values; a :class:`Lookup` where it is a row.
    """

    name: str
    parameter: str
    sdl: str
    read: Read


class Inputs:
    """The types of arguments.

    Parameters:
        graph: the models' types.
        using: database alias of rows.
    """

    def __init__(self, graph: Graph, using: str) -> None:
        self._graph = graph
        self._using = using
        #: Definitions of input types by name.
        self.definitions: dict[str, str] = {}
        self._structs: dict[str, tuple[Any, dict[str, tuple[str, Reader]]]] = {}

    def argument(self, parameter: inspect.Parameter, annotation: Any) -> Argument:
        """A parameter as an argument.

        Errors:
            SchemaError: its type has no counterpart.
        """
        shape = read_annotation(self._graph, annotation)
        name = field_name(parameter.name)
        sdl = self._type(shape)
        if parameter.default is not inspect.Parameter.empty:
            sdl = sdl.removesuffix("!")
        bare = shape.inner if isinstance(shape, Nullable) else shape
        if isinstance(bare, Row):
            read = self._row(bare, name)
        elif isinstance(bare, File) or (isinstance(bare, Listed) and isinstance(bare.item, File)):
            read = _files(name, annotation)
            self.definitions.setdefault("Upload", _UPLOAD)
        else:
            read = self._value(shape, name, annotation)
        return Argument(name, parameter.name, sdl, read)

    def _type(self, shape: Shape, *, nested: bool = False) -> str:
        match shape:
            case Nullable(inner):
                return self._type(inner, nested=nested).removesuffix("!")
            case Listed(item):
                return f"[{self._type(item, nested=nested or not isinstance(item, File))}]!"
            case Named(leaf):
                return f"{leaf.name}!"
            case Struct(cls, name):
                return f"{self._define(cls, name)}!"
            case Row() | File() if nested:
                raise SchemaError("a row or a file can only be a parameter of its own, not part of another one.")
            case Row():
                return "ID!"
            case File():
                return "Upload!"

    # ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self, row: Row, name: str) -> Read:
        one = self._graph.types[row.name]
        verbose = str(one.model._meta.verbose_name)

        def read(asked: Any, values: list[Any], info: Info) -> Lookup | None:
            if asked is None:
                return None
            rows = one.model._default_manager.using(self._using).all()
            rows = rows if one.options.rows is None else one.options.rows(rows, info.viewer.in_rules())
            try:
                rows = rows.order_by().filter(pk=one.model._meta.pk.to_python(value_of(asked, values, row.name)))
            except (ValueError, Invalid):
                rows = rows.none()
            return Lookup(rows, verbose, name)

        return read

    def _value(self, shape: Shape, name: str, annotation: Any) -> Read:
        reader = self._reader(shape)
        validator: CompiledValidator[Any] = CompiledValidator(annotation)

        def read(asked: Any, values: list[Any], info: Info) -> Any:
            value = reader(_plain(asked, values, shape))
            try:
                return validator.validate_json(json.dumps(value))
            except InvalidError as error:
                raise ValidationError([_placed(problem, name) for problem in error.errors]) from error

        return read

    def _reader(self, shape: Shape) -> Reader:
        match shape:
            case Nullable(inner):
                reader = self._reader(inner)
                return lambda value: None if value is None else reader(value)
            case Listed(item):
                reader = self._reader(item)
                return lambda value: value if value is None else [reader(one) for one in value]
            case Named(Enum(members=members)):
                return lambda value: None if value is None else members[value]
            case Named(leaf) if leaf.name == "BigInt":
                return lambda value: int(value) if is_a(value, str) and value.lstrip("-").isdigit() else value
            case Struct(_, name):
                fields = self._structs[_input_name(name)][1]
                return lambda value: (
                    value if value is None else {fields[key][0]: fields[key][1](item) for key, item in value.items()}
                )
            case _:
                return lambda value: value

    # ── Objects ────────────────────────────────────────────────────────────────────────────────────────────────

    def _define(self, cls: Any, name: str) -> str:
        name = _input_name(name)
        known = self._structs.get(name)
        if known is not None:
            if known[0] is not cls:
                raise SchemaError(f"two classes make the input type {name}. Rename one of them.")
            return name
        fields: dict[str, tuple[str, Reader]] = {}
        self._structs[name] = cls, fields
        lines: list[str] = []
        for field in fields_of(cls) or ():
            if field.access == "read_only":
                continue
            shape = read_annotation(self._graph, field.annotation)
            sdl = self._type(shape, nested=True)
            has_default = not field.required or field.default is not MISSING or field.factory is not None
            key = field_name(field.key)
            lines.append(f"{key}: {sdl.removesuffix('!') if has_default else sdl}")
            fields[key] = field.key, self._reader(shape)
        self.definitions[name] = block(f"input {name}", lines)
        return name


def _input_name(name: str) -> str:
    return name if name.endswith("Input") else f"{name}Input"


def _plain(asked: Any, values: list[Any], shape: Shape) -> Any:
    """The value as the client gave it."""
    bare = shape.inner if isinstance(shape, Nullable) else shape
    if isinstance(bare, Named) and bare.leaf is ID and is_a(asked, dict) and "of" in asked:
        # It was taken apart for rows.
        return base64.b64encode(f"{asked['of']}:{values[asked['$']]}".encode()).decode()
    return value_of(_without_types(asked), values)


def _without_types(asked: Any) -> Any:
    if is_a(asked, list):
        items: list[Any] = asked
        return [_without_types(item) for item in items]
    if is_a(asked, dict):
        members: Asked = asked
        return {key: _without_types(item) for key, item in members.items() if key != "of" or "$" not in members}
    return asked


def _files(name: str, annotation: Any) -> Read:
    """Reads a file, or a list of them: numbers of the form's files, as Rust put them into the variables."""
    rules = list(_rules_of(annotation))

    def read(asked: Any, values: list[Any], info: Info) -> Any:
        given = value_of(asked, values)
        if given is None:
            return None
        numbers: list[Any] = given if is_a(given, list) else [given]
        try:
            files = [_file(info, number) for number in numbers]
        except (IndexError, TypeError) as error:
            message = "This is no file: send it as the GraphQL multipart request specification says."
            raise ValidationError([{"loc": [INPUT, name], "type": "file", "msg": message}]) from error
        wrong = [problem for file in files for rule in rules for problem in _problems(file, rule)]
        if wrong:
            raise ValidationError([{"loc": [INPUT, name], "type": code, "msg": message} for code, message in wrong])
        return files if is_a(given, list) else files[0]

    return read


def _file(info: Info, number: int) -> UploadFile:
    return info.files[number]


def _rules_of(annotation: Any) -> Iterator[FileRules]:
    """The ``File`` markers in an annotation, wherever they stand."""
    if isinstance(annotation, FileRules):
        yield annotation
    for part in get_args(annotation):
        yield from _rules_of(part)


def _problems(file: UploadFile, rule: FileRules) -> Iterator[tuple[str, str]]:
    """Codes and messages as handlers' files have them (``crates/engine/src/extract/given.rs``)."""
    if rule.max_size is not None and file.size > rule.max_size:
        yield "file_too_large", f"File should have at most {rule.max_size} bytes"
    essence = (file.content_type or "").partition(";")[0].strip().lower()
    kinds = [kind.lower() for kind in rule.media_types or ()]
    if kinds and not any(essence == kind or (kind.endswith("/*") and essence.startswith(kind[:-1])) for kind in kinds):
        yield "file_type", f"File should be of type {', '.join(kinds)}"


def _placed(problem: Mapping[str, Any], name: str) -> dict[str, Any]:
    """With the place of the mistake as the client knows it."""
    place = ".".join([name, *(field_name(str(part)) for part in problem["loc"])])
    return {"loc": [INPUT, place], "type": problem["type"], "msg": problem["msg"]}
