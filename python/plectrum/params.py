"""Where a handler's argument comes from: markers for ``Annotated`` and for default values.

A handler says it in its signature, in either style::

    async def articles(
        page: Annotated[int, Query(ge=1)] = 1, token: Annotated[str | None, Header("x-token")] = None
    ): ...

Without a marker, a name that stands in the path is a path parameter, a body type (Schema, msgspec, pydantic, dataclass,
TypedDict, ``dict``) is the JSON body, and everything else is a query parameter.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

__all__ = [
    "MISSING",
    "UNSET",
    "Body",
    "Claim",
    "Cookie",
    "Field",
    "File",
    "Form",
    "Header",
    "Path",
    "Query",
    "UnsetType",
]


class _Missing:
    """The type of :data:`MISSING`: no default was given."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


class UnsetType(enum.Enum):
    """The type of :data:`UNSET`; ``name: str | None | UnsetType = UNSET`` tells a missing key from ``null``."""

    UNSET = "UNSET"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


#: No value: the key was not in the input, and is not in the output.
UNSET: Final = UnsetType.UNSET


@dataclass(frozen=True, kw_only=True)
class Field:
    """Rules and descriptions of one value.

    Parameters:
        annotation: the type, where no annotation gives it: ``Schema({"name": Field(str)})``.
        default: value used where none is given; without it the value is required.
        default_factory: called without arguments for a new default each time (lists, dicts).
        alias: name on the wire; the Python name where absent.
        description: for OpenAPI.
        examples: values as they may look, for OpenAPI.
        ge, gt, le, lt: bounds of a number.
        multiple_of: the number must be a whole multiple of this.
        min_length, max_length: length in characters, bytes or items.
        pattern: regular expression that must match somewhere in the text.
        max_digits, decimal_places: digits of a decimal.
        count_zeros: zeros at the end of a decimal are digits too, as Django counts them.
        strip: remove surrounding white space before checking.
        format: ``email``, ``url``, ``slug``, ``unicode_slug``, ``ipv4``, ``ipv6`` or ``ip``, by the rules of
            ``django.core.validators``.
        null: ``None`` is a value too.
        blank: whether ``""`` is one, as Django means it: ``False`` refuses it, ``True`` takes it whatever the other
            rules say. Without it, ``""`` is text like any other.
        no_nul: refuse NUL characters, which no PostgreSQL text can hold.
        choices: the values allowed, or ``(value, label)`` pairs and groups of them, as Django takes them.
        validators: called with each value that passed the other rules, one after the other. They raise Django's
            ``ValidationError`` or a ``ValueError``.
        required: ``False`` lets the value be absent without a default; it is then absent from the result too.
        read_only: in output only; input for it is dropped.
        write_only: in input only, such as a password.
        output: called with the value when it is written; what it returns is written instead.

    Source: the keyword names are those of pydantic's ``Field`` and of JSON Schema 2020-12.
    """

    annotation: Any = field(default=MISSING, kw_only=False)
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    alias: str | None = None
    description: str | None = None
    examples: Sequence[Any] = ()
    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    multiple_of: Any = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    count_zeros: bool | None = None
    strip: bool | None = None
    format: str | None = None
    null: bool = False
    blank: bool | None = None
    no_nul: bool | None = None
    choices: Iterable[Any] | None = None
    validators: Iterable[Callable[[Any], Any]] = ()
    required: bool | None = None
    read_only: bool = False
    write_only: bool = False
    output: Callable[[Any], Any] | None = None

    #: Where the value comes from; ``None`` leaves it to the rules of the module docstring.
    source: ClassVar[str | None] = None


@dataclass(frozen=True, kw_only=True)
class _Named(Field):
    annotation: Any = MISSING
    alias: str | None = field(default=None, kw_only=False)


@dataclass(frozen=True, kw_only=True)
class Path(_Named):
    """A path parameter; ``Path("name-in-path")`` or keywords as :class:`Field`."""

    source: ClassVar[str | None] = "path"


@dataclass(frozen=True, kw_only=True)
class Query(_Named):
    """A query parameter; a list type takes every value of a repeated name."""

    source: ClassVar[str | None] = "query"


@dataclass(frozen=True, kw_only=True)
class Header(_Named):
    """A request header; underscores of the Python name become hyphens unless an alias is given."""

    source: ClassVar[str | None] = "header"


@dataclass(frozen=True, kw_only=True)
class Cookie(_Named):
    """A cookie (RFC 6265)."""

    source: ClassVar[str | None] = "cookie"


@dataclass(frozen=True, kw_only=True)
class Body(_Named):
    """The JSON body, or one key of it where a handler has several ``Body`` parameters.

    A lone ``Annotated[bytes, Body()]`` is the body as it is, whatever its type.
    """

    source: ClassVar[str | None] = "body"


@dataclass(frozen=True, kw_only=True)
class Claim(_Named):
    """A claim of whoever makes the request, on a route with ``auth=``; ``Claim("sub")`` of ``int`` is a user's key.

    It comes from the token, key or session that authenticated, never from the client's own word. Where it is missing
    and has no default, or is not of the type, the answer is 403.
    """

    source: ClassVar[str | None] = "claim"


@dataclass(frozen=True, kw_only=True)
class Form(_Named):
    """A field of a form, ``application/x-www-form-urlencoded`` or ``multipart/form-data``.

    Of a model (Schema, dataclass, pydantic …) each field is a field of the form, uploaded files included; so are they
    with ``Query``, ``Header`` and ``Cookie``.
    """

    source: ClassVar[str | None] = "form"


@dataclass(frozen=True, kw_only=True)
class File(_Named):
    """Rules of an uploaded file; a parameter of the type :class:`plectrum.UploadFile` is one without this marker too.

    Parameters:
        max_size: bytes at most; more is a 422.
        media_types: what it may be declared as, ``"image/*"`` standing for all of a kind; any type where empty.
    """

    max_size: int | None = None
    media_types: tuple[str, ...] | None = None

    source: ClassVar[str | None] = "form"
