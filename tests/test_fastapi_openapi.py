"""The OpenAPI document of FastAPI with our schemas is that with pydantic's models, type by type."""

from __future__ import annotations

import datetime
import decimal
import enum
import re
import uuid
from typing import Annotated, Any, Literal, NotRequired, Optional, Union

import pydantic
import pytest
from annotated_types import Ge, Gt, Le, Len, Lt, MaxLen, MinLen, MultipleOf
from fastapi import FastAPI
from typing_extensions import TypedDict  # what pydantic takes on every version of Python

from plectrum.fastapi import PlectrumRoute
from plectrum.schema import Field, Schema

REQUIRED = object()


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Letters(enum.StrEnum):
    A = "a"


class Mixed(enum.Enum):
    """Described."""

    ONE = 1
    TWO = "two"


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


#: Annotation and default of a field.
FIELDS: list[tuple[Any, Any]] = [
    (bool, REQUIRED),
    (bool, True),
    (int, REQUIRED),
    (int, 3),
    (float, 1.5),
    (str, ""),
    (decimal.Decimal, REQUIRED),
    (uuid.UUID, REQUIRED),
    (datetime.date, REQUIRED),
    (datetime.datetime, REQUIRED),
    (datetime.time, REQUIRED),
    (datetime.timedelta, REQUIRED),
    (Any, REQUIRED),
    (None, REQUIRED),
    (int | None, REQUIRED),
    (int | None, None),
    (Optional[str], "x"),  # noqa: UP045
    (int | str, REQUIRED),
    (Union[int, str, None], None),  # noqa: UP007
    (list[int] | dict[str, int], REQUIRED),
    (list[int], REQUIRED),
    (list[list[str]], REQUIRED),
    (list[int | None], REQUIRED),
    (set[int], REQUIRED),
    (frozenset[str], REQUIRED),
    (tuple[int, ...], REQUIRED),
    (tuple[int, str], REQUIRED),
    (dict[str, float], REQUIRED),
    (dict[str, list[int]], REQUIRED),
    (dict[str, Any], REQUIRED),
    (Literal["a"], REQUIRED),
    (Literal["a", "b"], "a"),
    (Literal[1, "b"], REQUIRED),
    (Colour, REQUIRED),
    (Level, REQUIRED),
    (list[Colour], REQUIRED),
    (Colour | None, None),
    (Annotated[int, Ge(0)], REQUIRED),
    (Annotated[int, Gt(0), Lt(10)], 5),
    (Annotated[int, MultipleOf(3)], REQUIRED),
    (Annotated[float, Ge(0.5), Le(1.5)], REQUIRED),
    (Annotated[str, MinLen(1), MaxLen(10)], REQUIRED),
    (Optional[Annotated[str, MaxLen(10)]], None),  # noqa: UP045
    (Annotated[list[int], Len(1, 3)], REQUIRED),
    (list[Annotated[str, MaxLen(5)]], REQUIRED),
    (dict[str, Annotated[int, Ge(1)]], REQUIRED),
    (bytes, REQUIRED),
    (Annotated[bytes, MaxLen(3)], REQUIRED),
    (Mixed, REQUIRED),
    (Mixed | None, None),
    (Letters, REQUIRED),
    (Annotated[float, MultipleOf(0.5)], REQUIRED),
    (Annotated[decimal.Decimal, Ge(0), Le(10)], REQUIRED),
    (decimal.Decimal, decimal.Decimal("1.5")),
    (datetime.date, datetime.date(2020, 1, 2)),
    (datetime.timedelta, datetime.timedelta(seconds=5)),
    (uuid.UUID, uuid.UUID(int=5)),
    (Colour, Colour.RED),
    (Level, Level.LOW),
    (tuple[()], REQUIRED),
    (list, REQUIRED),
    (dict, REQUIRED),
    (tuple, REQUIRED),
    (set, REQUIRED),
    (frozenset, REQUIRED),
    (list[Any], REQUIRED),
    (list[tuple[int, str]], REQUIRED),
    (Annotated[tuple[int, ...], Len(1, 2)], REQUIRED),
    (Annotated[set[int], MinLen(1)], REQUIRED),
    (Annotated[frozenset[int], MaxLen(1)], REQUIRED),
    (Annotated[dict[str, int], Len(1, 3)], REQUIRED),
    (dict[int, str], REQUIRED),
    (dict[uuid.UUID, int], REQUIRED),
    (dict[Colour, int], REQUIRED),
    (Literal[None, 1], REQUIRED),
    (Literal[True], REQUIRED),
    (Literal["a"] | None, None),
    (int | None | str, REQUIRED),
    (Optional[list[int]], None),  # noqa: UP045
    (list[Optional[dict[str, Any]]], REQUIRED),  # noqa: UP045
    (Annotated[Optional[int], Ge(3)], None),  # noqa: UP045
    (Annotated[str, MaxLen(3)] | int, REQUIRED),
    (Movie, REQUIRED),
    (Movie | None, None),
    (str, "é"),
    (int, 10**20),
    (Annotated[int, Ge(0), Le(10**20)], REQUIRED),
]


def application(base: type, field: Any, route: Any = None) -> FastAPI:
    """A route for each field, which is the only one of a body and of an answer."""
    app = FastAPI()
    if route is not None:
        app.router.route_class = route
    for number, (annotation, default) in enumerate(FIELDS):
        namespace: dict[str, Any] = {"__module__": __name__, "__annotations__": {"field": annotation}}
        if default is not REQUIRED:
            namespace["field"] = default
        inner = type(base)(f"Inner{number}", (base,), namespace)
        outer = type(base)(
            f"Outer{number}",
            (base,),
            {
                "__module__": __name__,
                "__doc__": f"Model number {number}.",
                "__annotations__": {"one": inner, "many": list[inner], "described": int},
                "described": field(default=number, description="What it is"),
            },
        )

        async def answer(body: Any) -> Any:
            return body

        answer.__annotations__ = {"body": outer}
        app.post(f"/{number}", response_model=outer | None)(answer)
    return app


@pytest.mark.parametrize("route", [None, PlectrumRoute])
def test_every_type_is_described_as_pydantic_does(route: Any) -> None:
    ours = application(Schema, Field, route).openapi()
    theirs = application(pydantic.BaseModel, pydantic.Field).openapi()
    described, expected = (document["components"]["schemas"] for document in (ours, theirs))
    different = [name for name in {*described, *expected} if described.get(name) != expected.get(name)]
    annotations = {name: FIELDS[int(re.sub(r"\D", "", name))] for name in different}
    assert [(annotations[name], described.get(name)) for name in different] == [
        (annotations[name], expected.get(name)) for name in different
    ]
    assert ours == theirs
