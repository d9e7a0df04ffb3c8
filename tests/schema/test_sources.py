"""Every way to a schema, and what each validates to."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import sys
import uuid
from typing import Annotated, Any, Generic, Literal, NewType, NotRequired, Optional, TypedDict, TypeVar, Union

import annotated_types
import msgspec
import pydantic
import pytest
import typing_extensions

from plectrum.schema import (
    UNSET,
    CompiledValidator,
    Field,
    InvalidError,
    MaxLength,
    MinLength,
    Pattern,
    Schema,
    SchemaError,
    Slug,
    UnsetType,
)

T = TypeVar("T")
K = TypeVar("K")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Author(Schema):
    name: Annotated[str, MaxLength(10)]
    born: datetime.date | None = None
    tags: list[str] = Field(default_factory=list)


class Tree(Schema):
    value: int
    children: list[Tree] = Field(default_factory=list)


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


@dataclasses.dataclass
class Box(Generic[T]):
    item: T
    more: list[T] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Named(Box[dict[str, K]], Generic[K]):
    name: str = ""


@dataclasses.dataclass
class Linked:
    value: int
    next: Optional[Linked] = None  # noqa: UP045


class Movie(TypedDict):
    title: Annotated[str, MinLength(1)]
    year: NotRequired[int]


class Track(msgspec.Struct, rename="camel"):
    track_title: str
    long_play: bool = False
    mood: str | msgspec.UnsetType = msgspec.UNSET


class User(pydantic.BaseModel):
    email: str
    age: int = pydantic.Field(ge=18)


Meter = NewType("Meter", float)


def wrong(schema: Any, data: object) -> list[tuple[list[Any], str]]:
    with pytest.raises(InvalidError) as raised:
        schema.validate(data)
    return [(error["loc"], error["type"]) for error in raised.value.errors]


def test_a_mapping_of_fields_validates_to_a_dict() -> None:
    schema = Schema(
        {
            "name": Field(str, max_length=5),
            "size": Field(int, default=3, ge=0),
            "tags": Field(list[str], default_factory=list),
            "note": Field(str, required=False),
            "plain": float,
        },
        name="Thing",
    )
    assert schema.validate({"name": "a", "plain": 1}) == {"name": "a", "size": 3, "tags": [], "plain": 1.0}
    assert schema.validate_json(b'{"name":"a","plain":1,"note":"x"}') == {
        "name": "a",
        "size": 3,
        "tags": [],
        "note": "x",
        "plain": 1.0,
    }
    first, second = (schema.validate({"name": "a", "plain": 1})["tags"] for _ in range(2))
    assert first is not second
    assert wrong(schema, {"name": "longer", "size": -1}) == [
        (["name"], "string_too_long"),
        (["size"], "greater_than_equal"),
        (["plain"], "missing"),
    ]


def test_a_class_validates_to_its_instances() -> None:
    author = Author.validate({"name": "Ada", "born": "1815-12-10"})
    assert author == Author(name="Ada", born=datetime.date(1815, 12, 10))
    assert Author.validate_json(b'{"name":"Ada","tags":["x"]}') == Author(name="Ada", tags=["x"])
    assert Author.validate_many([{"name": "a"}, {"name": "b"}]) == [Author(name="a"), Author(name="b")]
    assert Author.validate(author) is author
    assert dataclasses.asdict(author)["name"] == "Ada"


def test_errors_of_many_are_located_by_position() -> None:
    with pytest.raises(InvalidError) as raised:
        Author.validate_many([{"name": "a"}, {}, {"name": 1}])
    assert [error["loc"] for error in raised.value.errors] == [[1, "name"], [2, "name"]]


def test_recursion() -> None:
    data = {"value": 1, "children": [{"value": 2, "children": [{"value": 3}]}]}
    expected = Tree(value=1, children=[Tree(value=2, children=[Tree(value=3)])])
    assert Tree.validate(data) == expected
    assert Tree.serialize(expected)["children"][0]["children"] == [{"value": 3, "children": []}]
    assert wrong(Tree, {"value": 1, "children": [{"value": "x"}]}) == [(["children", 0, "value"], "int_type")]
    assert Schema.from_dataclass(Linked).validate({"value": 1, "next": {"value": 2}}) == Linked(1, Linked(2))


def test_a_value_that_holds_itself_ends() -> None:
    data: dict[str, Any] = {"value": 1, "children": []}
    data["children"].append(data)
    errors = wrong(Tree, data)
    assert errors[-1][1] == "recursion_loop"
    tree = Tree(value=1)
    tree.children.append(tree)
    with pytest.raises(RecursionError, match="nested deeper than 200 levels"):
        Tree.serialize_to_bytes(tree)


def test_generics() -> None:
    assert Schema.from_type(Box[int]).validate({"item": 1, "more": [2]}) == Box(1, [2])
    assert wrong(Schema.from_type(Box[int]), {"item": "a", "more": ["b"]}) == [
        (["item"], "int_type"),
        (["more", 0], "int_type"),
    ]
    named = Schema.from_type(Named[int])
    assert named.validate({"item": {"a": 1}}) == Named(item={"a": 1})
    assert wrong(named, {"item": {"a": "x"}}) == [(["item", "a"], "int_type")]
    # Without arguments, a variable without bound is anything.
    assert Schema.from_dataclass(Box).validate({"item": "any"}) == Box("any")


def test_typed_dicts_and_structs_and_pydantic() -> None:
    movies = Schema.from_typed_dict(Movie)
    assert movies.validate({"title": "x"}) == {"title": "x"}
    assert wrong(movies, {"title": ""}) == [(["title"], "string_too_short")]
    tracks = Schema.from_msgspec(Track)
    assert tracks.validate({"trackTitle": "x"}) == Track("x")
    assert tracks.serialize(Track("x")) == {"trackTitle": "x", "longPlay": False}
    assert tracks.serialize(Track("x", mood="sad"))["mood"] == "sad"
    users = Schema.from_pydantic(User)
    assert users.validate({"email": "x", "age": 20}) == User(email="x", age=20)
    assert users.validate_json(b'{"email":"x","age":20}') == User(email="x", age=20)
    assert wrong(users, {"email": "x", "age": 3}) == [(["age"], "greater_than_equal")]


def test_typed_dicts_of_typing_extensions() -> None:
    class Song(typing_extensions.TypedDict):
        title: Annotated[str, MinLength(1)]
        year: typing_extensions.NotRequired[int]
        code: typing_extensions.ReadOnly[int]

    songs = Schema.from_typed_dict(Song)
    assert songs.validate({"title": "x", "code": 3}) == {"title": "x", "code": 3}
    assert wrong(songs, {"title": "", "year": "x"}) == [
        (["title"], "string_too_short"), (["year"], "int_type"), (["code"], "missing"),
    ]  # fmt: skip
    assert wrong(Schema({"song": Song}), {"song": 1}) == [(["song"], "model_type")]
    with pytest.raises(SchemaError, match="is not a TypedDict"):
        Schema.from_typed_dict(dict)


def test_unions_literals_and_enums() -> None:
    class Cat(Schema):
        kind: Literal["cat"]
        lives: int = 9

    class Dog(Schema):
        kind: Literal["dog"]

    tagged = Schema({"pet": Field(Annotated[Union[Cat, Dog], pydantic.Discriminator("kind")])})  # noqa: UP007
    assert tagged.validate({"pet": {"kind": "cat"}}) == {"pet": Cat(kind="cat")}
    assert tagged.validate({"pet": Dog(kind="dog")})["pet"].kind == "dog"
    assert wrong(tagged, {"pet": {"kind": "cow"}}) == [(["pet"], "union_tag_invalid")]
    assert wrong(tagged, {"pet": {}}) == [(["pet"], "union_tag_not_found")]
    assert wrong(tagged, {"pet": {"kind": "cat", "lives": "x"}}) == [(["pet", "Cat", "lives"], "int_type")]

    untagged = Schema.from_type(int | datetime.date | str)  # type: ignore[arg-type]
    assert untagged.validate(3) == 3
    assert untagged.validate("2026-01-02") == datetime.date(2026, 1, 2)
    assert untagged.validate("x") == "x"
    assert wrong(Schema.from_type(int | bool), []) == [(["int"], "int_type"), (["bool"], "bool_type")]  # type: ignore[arg-type]

    colours = Schema.from_type(list[Colour])
    assert colours.validate(["red", Colour.BLUE]) == [Colour.RED, Colour.BLUE]
    assert wrong(colours, ["green"]) == [([0], "enum")]
    assert wrong(Schema({"a": Field(Literal["x", 1])}), {"a": 2}) == [(["a"], "literal_error")]


@pytest.mark.parametrize(
    ("annotation", "data", "expected"),
    [
        (tuple[int, str], [1, "a"], (1, "a")),
        (tuple[int, ...], [1, 2], (1, 2)),
        (set[int], [1, 1], {1}),
        (frozenset[str], ("a",), frozenset({"a"})),
        (dict[int, decimal.Decimal], {"1": "2.50"}, {1: decimal.Decimal("2.50")}),
        (dict[uuid.UUID, bool], {str(uuid.UUID(int=1)): True}, {uuid.UUID(int=1): True}),
        (list[Any], [1, "a", None], [1, "a", None]),
        (Meter, 2, 2.0),
        (int | None, None, None),
        (bytes, b"ab", b"ab"),
        (bytes, "YWI=", b"ab"),
        (datetime.timedelta, datetime.timedelta(1), datetime.timedelta(1)),
        (datetime.timedelta, "1 00:00:02", datetime.timedelta(1, 2)),
        (datetime.datetime, datetime.datetime(2026, 1, 2), datetime.datetime(2026, 1, 2)),
        (decimal.Decimal, 1.5, decimal.Decimal("1.5")),
        (int, 2**80, 2**80),
        (int, 3.0, 3),
        (float, 2, 2.0),
        (Annotated[Annotated[int, annotated_types.Ge(1)], annotated_types.Lt(5)], 4, 4),
    ],
)
def test_types(annotation: Any, data: object, expected: object) -> None:
    found: Any = CompiledValidator(annotation).validate(data)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "data", "code"),
    [
        (int, True, "int_type"),
        (int, "1", "int_type"),
        (int, 1.5, "int_from_float"),
        (int, float("nan"), "finite_number"),
        (float, float("inf"), "finite_number"),
        (float, "1", "float_type"),
        (str, 1, "string_type"),
        (str, b"x", "string_type"),
        (str, "\ud800", "string_unicode"),
        (bool, 1, "bool_type"),
        (datetime.date, datetime.datetime(2026, 1, 1), "date_type"),
        (datetime.datetime, datetime.date(2026, 1, 1), "datetime_type"),
        (uuid.UUID, "x", "uuid_parsing"),
        (decimal.Decimal, decimal.Decimal("NaN"), "decimal_parsing"),
        (list[int], "12", "list_type"),
        (list[int], {}, "list_type"),
        (dict[str, int], [], "dict_type"),
        (tuple[int, int], [1], "too_short"),
        (set[int], 3, "set_type"),
        (None, 0, "none_required"),
        (Annotated[int, annotated_types.MultipleOf(3)], 4, "multiple_of"),
        (Annotated[list[int], annotated_types.Len(1, 2)], [], "too_short"),
        (Annotated[int, annotated_types.Predicate(lambda value: value > 3)], 2, "value_error"),
        (Annotated[str, Pattern("^a+$")], "b", "string_pattern_mismatch"),
        (Annotated[str, Slug, MaxLength(5)], "a b", "string_format"),
        (Annotated[Slug, MaxLength(5)], "a-b-c-d", "string_too_long"),
    ],
)
def test_refused(annotation: Any, data: object, code: str) -> None:
    assert [kind for _, kind in wrong(CompiledValidator(annotation), data)] == [code]


def test_aliases_and_access() -> None:
    class Account(Schema):
        user_name: str = Field(alias="userName")
        password: Annotated[str, Field(write_only=True)]
        id: int = Field(read_only=True)

    account = Account.validate({"userName": "a", "password": "b", "id": "ignored"})
    assert (account.user_name, account.password, account.id) == ("a", "b", UNSET)
    assert Account.serialize(account) == {"userName": "a"}
    account.id = 7
    assert Account.serialize_to_bytes(account) == b'{"userName":"a","id":7}'
    assert Account.compiled.fields["id"].access == "read_only"
    assert not Account.compiled.fields["id"].required
    assert wrong(Account, {"user_name": "a"}) == [(["userName"], "missing"), (["password"], "missing")]


def test_unset_is_not_null() -> None:
    class Patch(Schema):
        name: str | UnsetType | None = UNSET

    absent, null = Patch.validate({}), Patch.validate({"name": None})
    assert absent.name is UNSET
    assert null.name is None
    assert (Patch.serialize(absent), Patch.serialize(null)) == ({}, {"name": None})
    assert not UNSET


def test_choices_and_own_checks() -> None:
    def even(value: int) -> None:
        if value % 2:
            raise ValueError("must be even")

    schema = Schema(
        {
            "size": Field(str, choices=[("s", "Small"), ("Large ones", [("l", "Large"), ("xl", "Extra")])]),
            "count": Field(int, validators=[even], default=0),
            "maybe": Field(str, null=True, blank=False, default=None),
        }
    )
    assert schema.validate({"size": "xl", "count": 2, "maybe": None})["maybe"] is None
    assert wrong(schema, {"size": "m", "count": 3, "maybe": ""}) == [
        (["size"], "literal_error"),
        (["count"], "value_error"),
        (["maybe"], "string_blank"),
    ]


def test_a_schema_is_a_type_of_another() -> None:
    inner = Schema({"a": Field(int)}, name="Inner")
    outer = Schema({"one": Field(inner), "many": Field(list[Annotated[dict[str, Any], inner]], default_factory=list)})
    assert outer.validate({"one": {"a": 1}}) == {"one": {"a": 1}, "many": []}
    assert wrong(outer, {"one": {"a": "x"}}) == [(["one", "a"], "int_type")]


def test_a_class_may_be_collected() -> None:
    import gc
    import weakref

    class Short(Schema):
        name: str

    Short.validate({"name": "a"})
    gone = weakref.ref(Short)
    del Short
    gc.collect()
    assert gone() is None


def test_an_abstract_base_may_be_mixed_in() -> None:
    from collections.abc import Sized

    class Counted(Schema, Sized):
        n: int

        def __len__(self) -> int:
            return self.n

    assert len(Counted.validate({"n": 3})) == 3


def test_names_that_come_later() -> None:
    module = sys.modules[__name__]

    class Early(Schema):
        later: Later  # type: ignore[name-defined]  # noqa: F821

    assert "__plectrum_compiled__" not in vars(Early)
    module.Later = Author  # type: ignore[attr-defined]
    try:
        assert Early.validate({"later": {"name": "x"}}).later == Author(name="x")
    finally:
        del module.Later  # type: ignore[attr-defined]
