"""Schemas as users write them: what each way validates to, exactly."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Generic, TypedDict, TypeVar, assert_type

import msgspec
import pydantic
from catalog.models import Article
from django.core.exceptions import ValidationError

from plectrum.schema import (
    UNSET,
    CompiledValidator,
    Email,
    Field,
    FieldInfo,
    InvalidError,
    MaxLength,
    Schema,
    UnsetType,
)


class Author(Schema):
    name: Annotated[str, MaxLength(100)]
    email: Email | None = None
    tags: list[str] = Field(default_factory=list)
    nick: str | UnsetType = UNSET


@dataclasses.dataclass
class Size:
    width: int


class Movie(TypedDict):
    title: str


class Track(msgspec.Struct):
    title: str


class User(pydantic.BaseModel):
    name: str


author = Author.validate({"name": "Ada"})
assert_type(author, Author)
assert_type(author.name, str)
assert_type(Author(name="Ada", tags=["x"]), Author)
assert_type(Author.validate_many([{"name": "Ada"}]), list[Author])
assert_type(Author.validate_json(b"{}"), Author)
assert_type(Author.serialize_to_bytes(author), bytes)
assert_type(Author.compiled, CompiledValidator[Author])

assert_type(Schema.from_dataclass(Size), CompiledValidator[Size])
assert_type(Schema.from_dataclass(Size).validate({}), Size)
assert_type(Schema.from_typed_dict(Movie).validate_json("{}"), Movie)
assert_type(Schema.from_msgspec(Track).validate_many([]), list[Track])
assert_type(Schema.from_pydantic(User).validate({}), User)
assert_type(Schema.from_model(Article).validate({}), dict[str, Any])
assert_type(Schema.from_type(list[Author]).validate([]), list[Author])

schema = Schema({"name": Field(str, max_length=100)})
assert_type(schema, CompiledValidator[dict[str, Any]])
assert_type(schema.validate({"name": "Ada"}), dict[str, Any])

if author.nick is not UNSET:
    assert_type(author.nick, str)

# Generics, and types that are no classes.
T = TypeVar("T")


class Box(Schema, Generic[T]):
    item: T


assert_type(Schema.from_type(Box[int]).validate({}), Box[int])
assert_type(Schema.from_type(Box[int]).validate({}).item, int)
assert_type(Schema.from_type(dict[str, Author]).validate_json(b""), dict[str, Author])
assert_type(Schema.from_type(tuple[int, str]).validate_many([]), list[tuple[int, str]])
assert_type(Author.compiled.fields, dict[str, FieldInfo])
assert_type(Author.json_schema(), dict[str, Any])
assert_type(Author.serialize_many([author]), list[Any])
assert_type(schema.serialize_queryset(Article.objects.all()), bytes)
assert_type(schema.serialize_values_list([("Ada",)], ["name"]), bytes)

try:
    Author.validate({})
except InvalidError as error:
    assert_type(error.errors, list[dict[str, Any]])
    assert_type(error.as_django(), ValidationError)
