"""Beside pydantic and msgspec: what msgspec takes we take, what we take pydantic takes, and all make the same of it.

msgspec takes JSON as it stands, pydantic (in its usual mode) converts what it can: we are in between. The exceptions
are those of ``docs/schema.md``, and named here.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import re
import uuid
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar, Union

import msgspec
import pydantic
import pytest
from annotated_types import Ge, Gt, Le, Len, Lt, MaxLen, MinLen, MultipleOf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plectrum.schema import CompiledValidator, InvalidError, Pattern, Schema

EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
T = TypeVar("T")
REFUSED = object()


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.5
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Tree:
    value: Union[int, str]  # noqa: UP007
    children: list[Tree] = dataclasses.field(default_factory=list)
    left: Optional[Tree] = None  # noqa: UP045


@dataclasses.dataclass
class Box(Generic[T]):
    item: T
    more: dict[str, T] = dataclasses.field(default_factory=dict)


class Renamed(msgspec.Struct, rename="camel"):
    first_name: str
    last_seen: datetime.date | None = None


#: Types whose values JSON carries as they are, or as text of one form.
LEAVES: list[Any] = [
    bool, int, float, str, decimal.Decimal, uuid.UUID, datetime.date, datetime.time, datetime.datetime, Colour, Level,
    Literal["a", "b"], Literal[1, 2], None, Point, Tree, Any,
]  # fmt: skip
TYPES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda item: list[item]),
        inner.map(lambda item: dict[str, item]),
        inner.map(lambda item: tuple[item, ...]),
        inner.map(lambda item: Optional[item]),  # noqa: UP045 - None | None is none
        inner.map(lambda item: Box[item]),
        st.tuples(inner, inner).map(lambda pair: tuple[pair]),
    ),
    max_leaves=3,
)
TEXTS = st.sampled_from(
    ["", "a", "b", "red", "green", "1", "1.5", "-1e5", "true", "2026-11-20", "2026-02-30", "2026-11-20T12:30:00Z",
     "2026-11-20 12:30:00.25", "2026-11-20T12:30:00+05:30", "2026-11-20T24:00:00", "12:30:00", "12:30:00.123456Z",
     "25:00", "00000000-0000-4000-8000-00000000000f", "0000000000004000800000000000000f", "nothing", "\u00e9", "P1D"]
)  # fmt: skip
NUMBERS = st.one_of(st.integers(-3, 3), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.just(2.0))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "x", "item", "more", "value", "children"]), inner, max_size=3),
        st.fixed_dictionaries({"x": NUMBERS}, optional={"y": NUMBERS, "tags": st.lists(TEXTS, max_size=2)}),
        st.fixed_dictionaries(
            {"value": NUMBERS | TEXTS}, optional={"children": st.lists(inner, max_size=2), "left": inner}
        ),
        st.fixed_dictionaries({"item": inner}, optional={"more": st.dictionaries(TEXTS, inner, max_size=2)}),
    ),
    max_leaves=6,
)


@st.composite
def fitting(draw: st.DrawFn, annotation: Any) -> Any:
    """JSON that is more likely to fit."""
    origin, arguments = getattr(annotation, "__origin__", None), getattr(annotation, "__args__", ())
    if draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    if origin is list or (origin is tuple and arguments[-1] is ...):
        return draw(st.lists(fitting(arguments[0]), max_size=3))
    if origin is tuple:
        return [draw(fitting(argument)) for argument in arguments]
    if origin is dict:
        return draw(st.dictionaries(TEXTS, fitting(arguments[1]), max_size=2))
    if origin is Box:
        return {"item": draw(fitting(arguments[0])), **draw(st.sampled_from([{}, {"more": {}}, {"other": 1}]))}
    if origin is Union:
        return draw(st.none() | fitting(arguments[0]))
    return draw(JSON)


def tried(read: Any, text: bytes) -> Any:
    try:
        return read(text)
    except (InvalidError, pydantic.ValidationError, msgspec.ValidationError):
        return REFUSED


def same(ours: Any, theirs: Any) -> bool:
    """Equal, and of equal types; zones are told by their offset, decimals by their value."""
    if type(ours) is not type(theirs):
        return False
    if dataclasses.is_dataclass(ours):
        return all(same(getattr(ours, f.name), getattr(theirs, f.name)) for f in dataclasses.fields(ours))
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, (datetime.datetime, datetime.time)):
        return ours == theirs and ours.utcoffset() == theirs.utcoffset()
    return bool(ours == theirs)


@EXAMPLES
@example(int, 1e20)
@example(Level, 1.0)
@example(list[datetime.time], ["12:30"])
@given(TYPES, st.data())
def test_between_the_two(annotation: Any, data: Any) -> None:
    value = data.draw(fitting(annotation)) if hasattr(data, "draw") else data
    text = json.dumps(value).encode()
    compiled: CompiledValidator[Any] = Schema.from_type(annotation)
    ours = tried(compiled.validate_json, text)
    theirs = tried(pydantic.TypeAdapter(annotation).validate_json, text)
    if ours is not REFUSED and not re.search(rb"\de\+?\d|\d{19}", text):  # integers past 64 bits, however written
        assert theirs is not REFUSED, (annotation, text)
        assert same(ours, theirs), (annotation, text, ours, theirs)
    strict = tried(msgspec.json.Decoder(annotation if annotation is not None else type(None)).decode, text)
    if strict is not REFUSED:
        assert same(ours, strict), (annotation, text, ours, strict)
    if ours is not REFUSED:  # and what is written is read back
        assert same(compiled.validate_json(compiled.dump(ours)), ours), (annotation, text)


#: Unions whose options JSON tells apart, so that msgspec takes them, and others.
UNIONS: list[Any] = [
    int | str, int | float, float | str | None, bool | str, int | list[int], Point | str, list[int] | dict[str, int],
    Colour | int, datetime.date | int, uuid.UUID | int | None, tuple[int, ...] | str, int | list[int | list[str]],
    Box[int] | None, Tree | int,
]  # fmt: skip


@pytest.mark.parametrize("annotation", UNIONS, ids=str)
def test_unions(annotation: Any) -> None:
    compiled: CompiledValidator[Any] = Schema.from_type(annotation)
    theirs = pydantic.TypeAdapter(annotation)
    strictly = msgspec.json.Decoder(annotation)

    @settings(max_examples=60, deadline=None)
    @given(JSON)
    def compare(value: Any) -> None:
        text = json.dumps(value).encode()
        ours = tried(compiled.validate_json, text)
        if ours is not REFUSED and not re.search(rb"\de\+?\d|\d{19}", text):
            assert tried(theirs.validate_json, text) is not REFUSED, text
        strict = tried(strictly.decode, text)
        if strict is not REFUSED:
            assert same(ours, strict), (text, ours, strict)

    compare()


SMALL = st.integers(-30, 30)
DECIMALS = st.decimals(-2000, 2000, places=3) | st.decimals(-20, 20, places=1) | SMALL.map(decimal.Decimal)
#: A type with its rules as annotated-types has them, the same as msgspec's, and values.
RULES: list[tuple[Any, dict[str, Any], st.SearchStrategy[Any]]] = [
    (Annotated[int, Ge(-3), Lt(7)], {"ge": -3, "lt": 7}, SMALL),
    (Annotated[int, Gt(-3), Le(7)], {"gt": -3, "le": 7}, SMALL),
    (Annotated[int, MultipleOf(4)], {"multiple_of": 4}, SMALL),
    (Annotated[float, Ge(-1.5), Lt(2.5)], {"ge": -1.5, "lt": 2.5}, st.floats(-4, 4) | st.sampled_from([-1.5, 2.5])),
    (Annotated[float, MultipleOf(0.5)], {"multiple_of": 0.5}, SMALL.map(lambda n: n / 4)),
    (Annotated[str, MinLen(2), MaxLen(4)], {"min_length": 2, "max_length": 4}, st.text(max_size=6)),
    (Annotated[str, Pattern("^[a-c]+$")], {"pattern": "^[a-c]+$"}, st.text("abcd", max_size=4)),
    (Annotated[list[int], Len(1, 3)], {"min_length": 1, "max_length": 3}, st.lists(SMALL, max_size=5)),
    (
        Annotated[dict[str, int], MaxLen(2)],
        {"max_length": 2},
        st.dictionaries(st.text(max_size=1), SMALL, max_size=4),
    ),
    (Annotated[decimal.Decimal, Ge(-3), Le(decimal.Decimal("7.5"))], {}, DECIMALS),
    (Annotated[decimal.Decimal, pydantic.Field(max_digits=4, decimal_places=2)], {}, DECIMALS),
    (Annotated[decimal.Decimal, pydantic.Field(max_digits=3)], {}, DECIMALS),
    (Annotated[decimal.Decimal, MultipleOf(decimal.Decimal("0.25"))], {}, DECIMALS),
]  # fmt: skip


@pytest.mark.parametrize("position", range(len(RULES)))
def test_rules(position: int) -> None:
    annotation, meta, values = RULES[position]
    base = annotation.__origin__
    ours = [Schema.from_type(annotation)]
    told = annotation if "pattern" not in meta else Annotated[base, pydantic.Field(pattern=meta["pattern"])]
    theirs = [pydantic.TypeAdapter(told).validate_json]
    if meta:
        ours.append(Schema.from_type(Annotated[base, msgspec.Meta(**meta)]))
        theirs.append(msgspec.json.Decoder(Annotated[base, msgspec.Meta(**meta)]).decode)

    @EXAMPLES
    @given(values)
    def compare(value: Any) -> None:
        text = json.dumps(value, default=str).encode()
        found = [tried(read, text) for read in (*theirs, *(schema.validate_json for schema in ours))]
        found += [tried(schema.validate, value) for schema in ours]
        assert all(one is found[0] or one == found[0] for one in found), (text, found)

    compare()


class Address(pydantic.BaseModel):
    city: Annotated[str, pydantic.Field(min_length=1)]
    zip: str | None = None


class Person(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    name: str = pydantic.Field(alias="fullName", max_length=5)
    age: int = pydantic.Field(default=3, ge=0)
    kind: Literal["a", "b"] = "a"
    born: datetime.date | None = None
    address: Address | None = None
    pets: list[Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]] = []
    friends: list[Person] = []

    @pydantic.field_validator("name")
    @classmethod
    def not_root(cls, name: str) -> str:
        if name == "root":
            raise ValueError("not root")
        return name.strip()


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


Person.model_rebuild()
PEOPLE: st.SearchStrategy[Any] = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "fullName": st.sampled_from(["Ada", " Ada", "root", "too long", "", 3, None]),
            "age": NUMBERS | TEXTS,
            "kind": st.sampled_from(["a", "b", "c", None]),
            "born": TEXTS | st.none() | SMALL,
            "address": st.none() | st.fixed_dictionaries({"city": TEXTS}, optional={"zip": TEXTS | SMALL}),
            "pets": st.lists(
                st.fixed_dictionaries({"kind": st.sampled_from(["cat", "dog", "cow", 1])}, optional={"lives": NUMBERS})
            ),
            "friends": st.lists(PEOPLE, max_size=1),
            "other": st.none(),
        },
    )
)


@EXAMPLES
@given(PEOPLE)
def test_a_pydantic_model_goes_on_doing_its_own_work(data: Any) -> None:
    """The same instance or the same errors, alone and within a schema."""
    people = Schema.from_pydantic(Person)
    within = Schema({"people": list[Person]})
    text = json.dumps(data).encode()
    try:
        expected = Person.model_validate_json(text)
    except pydantic.ValidationError as error:
        told = [(list(row["loc"]), row["type"], row["msg"]) for row in error.errors()]
        for prefix, call, given_ in (
            ([], people.validate_json, text),
            (["people", 1], within.validate_json, b'{"people":[{"fullName":"Bo"},%s]}' % text),
        ):
            with pytest.raises(InvalidError) as raised:
                call(given_)
            found = [(row["loc"], row["type"], row["msg"]) for row in raised.value.errors]
            assert found == [([*prefix, *loc], kind, message) for loc, kind, message in told]
        return
    assert people.validate_json(text) == expected
    assert within.validate_json(b'{"people":[%s]}' % text) == {"people": [expected]}
    assert people.validate(expected) is expected
    assert json.loads(people.dump(expected)) == json.loads(expected.model_dump_json(by_alias=True))


@EXAMPLES
@given(st.dictionaries(st.sampled_from(["firstName", "first_name", "lastSeen", "x"]), TEXTS | st.none()))
def test_a_struct_is_read_and_written_as_msgspec_does(data: Any) -> None:
    structs = Schema.from_msgspec(Renamed)
    text = json.dumps(data).encode()
    expected = tried(msgspec.json.Decoder(Renamed).decode, text)
    assert tried(structs.validate_json, text) == expected
    if expected is not REFUSED:
        assert structs.dump(expected) == msgspec.json.encode(expected)
