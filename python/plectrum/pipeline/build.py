"""The functions that build responses, and the types they know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from .._core import RustResponseBytes, TypeRegistry, build_response
from ..errors import PlectrumError

#: JSON text of a row; ``None`` is SQL's NULL.
Row: TypeAlias = str | bytes | None

#: Fields in the order of the answer: ``"title"``, ``"headline: title"`` (an alias), ``"author.name"`` (a path), or a
#: mapping from a field to what is selected inside of it. Names as in the rows or as in GraphQL.
Selection: TypeAlias = "Sequence[str | Mapping[str, Selection]]"

#: The types used where no registry is given.
registry = TypeRegistry()


def register_type(name: str, fields: Mapping[str, str] | None = None) -> None:
    """Adds a type to the default registry, or replaces it.

    Parameters:
        name: of the type, as ``__typename`` tells it.
        fields: what fields hold, in GraphQL's notation: ``{"author": "Author!", "comments": "[Comment!]!"}``. ``JSON``
            is copied with the keys it has. Scalars need no mention.
    """
    registry.register_type(name, fields)


class InvalidRowError(PlectrumError, ValueError):
    """A row that is not JSON (RFC 8259), or nested deeper than 128 levels.

    Parameters:
        field: of the response.
        row: index among the field's rows; ``None`` for a single row.
        position: where it goes wrong, in characters of a ``str``, in bytes of ``bytes``.
        reason: what was expected or found there.
    """

    def __init__(self, field: str, row: int | None, position: int, reason: str) -> None:
        subject = f'The row of "{field}"' if row is None else f'Row {row} of "{field}"'
        super().__init__(f"{subject} is not valid JSON: {reason} at position {position}.")
        self.field = field
        self.row = row
        self.position = position
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.field, self.row, self.position, self.reason)


class Field(NamedTuple):
    """One field of a response.

    Parameters:
        name: its key in ``data``, as it is to be written.
        rows: an iterable of rows; one row where ``many`` is false.
        type_name: type of the rows; without one they have no ``__typename``.
        select: the fields to give; all without one.
        many: whether the field is a list.
        always_typename: whether objects of a type begin with ``__typename`` where ``select`` leaves it out.
    """

    name: str
    rows: Iterable[Row] | Row
    type_name: str | None = None
    select: Selection | None = None
    many: bool = True
    always_typename: bool = False


def _build(fields: list[Field], types: TypeRegistry | None) -> bytes:
    return build_response(fields, types or registry)


def build_multi_field_response(fields: Iterable[Field], *, registry: TypeRegistry | None = None) -> bytes:
    """A response of several fields: ``{"data":{"articles":[…],"author":{…}}}``.

    Parameters:
        fields: in the order of the answer.
        registry: types of nested fields; those of :func:`register_type` without one.

    Returns:
        UTF-8 JSON without white space.

    Errors:
        InvalidRowError: if a row is not JSON.
        TypeError: if a row is neither text nor ``None``.
        ValueError: if a selection contradicts itself.
    """
    return _build(list(fields), registry)


def build_list_response(
    json_strings: Iterable[Row],
    field_name: str,
    type_name: str | None = None,
    *,
    select: Selection | None = None,
    always_typename: bool = False,
    registry: TypeRegistry | None = None,
) -> bytes:
    """A response of one list: ``{"data":{"articles":[…]}}``.

    Parameters, result and errors: as :class:`Field` and :func:`build_multi_field_response`.
    """
    field = Field(field_name, json_strings, type_name, select, True, always_typename)
    return _build([field], registry)


def build_single_response(
    json_string: Row,
    field_name: str,
    type_name: str | None = None,
    *,
    select: Selection | None = None,
    always_typename: bool = False,
    registry: TypeRegistry | None = None,
) -> bytes:
    """A response of one object: ``{"data":{"article":{…}}}``, ``null`` for ``None``.

    Parameters, result and errors: as :class:`Field` and :func:`build_multi_field_response`.
    """
    field = Field(field_name, json_string, type_name, select, False, always_typename)
    return _build([field], registry)


def build_empty_array_response(field_name: str) -> bytes:
    """``{"data":{"articles":[]}}``."""
    return _build([Field(field_name, ())], None)


def build_null_response(field_name: str) -> bytes:
    """``{"data":{"article":null}}``."""
    return _build([Field(field_name, None, many=False)], None)


_Message: TypeAlias = MutableMapping[str, Any]


async def send_asgi(
    body: RustResponseBytes,
    _scope: _Message,
    _receive: Callable[[], Awaitable[_Message]],
    send: Callable[[_Message], Awaitable[None]],
) -> None:
    """Sends a finished body as an ASGI 3 response of status 200."""
    headers = [
        (b"content-length", str(len(body)).encode("ascii")),
        (b"content-type", body.content_type.encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body.bytes})
