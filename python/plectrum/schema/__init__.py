"""``plectrum.schema``: types with rules, validated and written by Rust, with or without Django.

    Author = Schema({"name": Field(str, max_length=100)})   # validates to dict
    class Author(Schema): name: Annotated[str, MaxLength(100)]  # validates to Author
    Schema.from_dataclass(Author)                            # validates to what it was made from

The files: ``record`` (:class:`Schema`), ``compiled`` (:class:`CompiledValidator`), ``rules`` (markers for
``Annotated``), ``models`` (Django models → schemas), ``rows`` (querysets → JSON), ``unique`` (checks that ask the
database), ``invalid`` (:class:`InvalidError`), ``wording`` (the same errors in DRF's and Django's words),
``for_pydantic`` (schemas within pydantic and FastAPI) and ``partial`` (what their options leave out). Types become
nodes in :mod:`plectrum.nodes`, as those of routes do.
"""

from __future__ import annotations

from ..errors import SchemaError
from ..params import UNSET, UnsetType
from .compiled import CompiledValidator, FieldInfo
from .invalid import InvalidError
from .record import Field, Schema
from .rules import (
    Email,
    Format,
    IPAddress,
    IPv4Address,
    IPv6Address,
    MaxLength,
    MinLength,
    Pattern,
    Slug,
    Url,
)

__all__ = [
    "UNSET",
    "CompiledValidator",
    "Email",
    "Field",
    "FieldInfo",
    "Format",
    "IPAddress",
    "IPv4Address",
    "IPv6Address",
    "InvalidError",
    "MaxLength",
    "MinLength",
    "Pattern",
    "Schema",
    "SchemaError",
    "Slug",
    "UnsetType",
    "Url",
]
