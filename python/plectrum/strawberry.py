"""Strawberry resolvers that answer with a pipeline result: its bytes go into the response as they are.

A resolver returns a ``RustResponseBytes``, such as :func:`plectrum.pipeline.execute_via_rust_pipeline` and
``Repository.find_rust`` give. Neither graphql-core nor the encoder looks inside; rows never become Python objects::

    schema = strawberry.Schema(Query, execution_context_class=PipelineExecutionContext)


    class View(PipelineResponses, AsyncGraphQLView): ...

Source: https://strawberry.rocks/docs (``execution_context_class``, ``encode_json``).
"""

from __future__ import annotations

import re
import secrets
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, get_named_type, is_abstract_type, is_leaf_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.nodes import SelectedField

from ._core import RustResponseBytes

if TYPE_CHECKING:
    from strawberry.types import Info
    from strawberry.types.nodes import Selection as StrawberrySelection

    from .pipeline import Selection

__all__ = ["PipelineExecutionContext", "PipelineResponses", "Spliced", "selection"]

# What stands for a spliced value until the response is encoded. Nobody outside of this process can write one.
_MARK = f"plectrum-{secrets.token_hex(16)}-"
_MARKED = re.compile(f'"({_MARK}[0-9a-f]+)"'.encode("ascii"))


class Spliced(str):
    """The value of a field, finished; a text no client can guess until a view of :class:`PipelineResponses` writes it.

    Parameters:
        result: a response of exactly one field, whose value is taken.

    Errors:
        ValueError: ``result`` is something else.
    """

    _known: ClassVar[weakref.WeakValueDictionary[bytes, Spliced]] = weakref.WeakValueDictionary()
    json: memoryview

    def __new__(cls, result: RustResponseBytes) -> Spliced:  # noqa: D102
        start, end = result.only_value()
        self = super().__new__(cls, f"{_MARK}{secrets.token_hex(8)}")
        self.json = memoryview(result.bytes)[start:end]
        cls._known[self.encode("ascii")] = self
        return self

    @classmethod
    def put_into(cls, encoded: bytes) -> bytes:
        """``encoded`` with every spliced value in its place."""
        pieces: list[bytes | memoryview] = list(_MARKED.split(encoded))
        for index in range(1, len(pieces), 2):
            pieces[index] = cls._known[bytes(pieces[index])].json
        return b"".join(pieces) if len(pieces) > 1 else encoded


class PipelineExecutionContext(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's execution, for schemas some of whose resolvers return a pipeline result."""

    def complete_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        """As graphql-core's, except that a pipeline result of an object or a list is complete already."""
        if type(result) is not RustResponseBytes or isinstance(return_type, GraphQLNonNull):
            complete = cast("Any", super()).complete_value
            return complete(return_type, field_details_list, info, path, result, position_context)
        spliced = Spliced(result)
        first = spliced.json[:1].tobytes()
        _check_kind(return_type, first, info.field_name)
        return None if first == b"n" else spliced


def _check_kind(return_type: Any, first: bytes, field: str) -> None:
    """Refuses a list for an object, an object for a list, and anything for a scalar."""
    expected = b"[" if isinstance(return_type, GraphQLList) else b"{"
    if is_leaf_type(return_type):
        raise GraphQLError(f'"{field}" is of type {return_type}; a pipeline result is an object or a list of objects.')
    if first not in (expected, b"n"):
        call = "build_list_response, or many=True" if expected == b"[" else "build_single_response, or many=False"
        raise GraphQLError(f'"{field}" is of type {return_type} and its pipeline result is not: use {call}.')


if TYPE_CHECKING:

    class _View:
        def encode_json(self, data: object) -> str | bytes: ...
else:
    _View = object


class PipelineResponses(_View):
    """Mixin for Strawberry's views and routers (put it first): writes pipeline results into the response."""

    def encode_json(self, data: object) -> bytes:
        """The response as the view itself encodes it, with the results in their places."""
        encoded: str | bytes = super().encode_json(data)
        return Spliced.put_into(encoded.encode("utf-8") if isinstance(encoded, str) else encoded)


def selection(info: Info[Any, Any]) -> Selection:
    """What the client selected of the field being resolved, as ``select=`` of the pipeline wants it.

    Parameters:
        info: the resolver's.

    Returns:
        Fields in the client's order, with aliases; fragments and ``@skip``/``@include`` are resolved.

    Errors:
        GraphQLError: a field inside takes arguments, which rows that are finished cannot follow, or is of an
            interface or a union.
    """
    wanted: dict[str, _Wanted] = {}
    returned = cast("Any", get_named_type(cast("Any", info)._raw_info.return_type))
    for field in info.selected_fields:
        _collect(field.selections, returned, wanted)
    return _rendered(wanted)


class _Wanted:
    """One field of the answer: its own name and what is selected inside."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[str, _Wanted] = {}


def _collect(selections: Iterable[StrawberrySelection], of: Any, wanted: dict[str, _Wanted]) -> None:
    """Adds what is selected of the type ``of``."""
    for selected in selections:
        if not _included(selected.directives):
            continue
        if is_abstract_type(of):
            raise GraphQLError(
                f"{of} is an interface or a union; a pipeline result needs to know the type of its rows."
            )
        if isinstance(selected, SelectedField):
            if selected.arguments:
                raise GraphQLError(f'"{selected.name}" takes arguments; a pipeline result cannot follow them.')
            entry = wanted.setdefault(selected.alias or selected.name, _Wanted(selected.name))
            if selected.selections:
                _collect(selected.selections, get_named_type(of.fields[selected.name].type), entry.fields)
        else:
            _collect(selected.selections, of, wanted)


def _included(directives: Mapping[str, Mapping[str, Any]]) -> bool:
    skipped = directives.get("skip", {}).get("if", False)
    return not skipped and directives.get("include", {}).get("if", True)


def _rendered(wanted: Mapping[str, _Wanted]) -> Selection:
    rendered: list[str | Mapping[str, Selection]] = []
    for key, entry in wanted.items():
        name = entry.name if key == entry.name else f"{key}: {entry.name}"
        rendered.append({name: _rendered(entry.fields)} if entry.fields else name)
    return rendered
