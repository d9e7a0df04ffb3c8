"""Validating JSON bytes of a nested model and dumping it: Plectrum beside pydantic and msgspec, in one process.

    .venv/bin/python bench/schema.py

Answers are compared first. Each figure is the median of nine rounds; rounds of the three take turns, so that whatever
else the machine does meets them alike.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json
import platform
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from typing import Annotated, Any

import annotated_types
import msgspec
import pydantic

import plectrum
from plectrum.schema import Field, MaxLength, Schema

ROUNDS = 9
SECONDS = 0.2

Name = Annotated[str, annotated_types.MaxLen(100)]
Stars = Annotated[int, annotated_types.Ge(0), annotated_types.Le(5)]


class Author(Schema, slots=True):
    id: int
    name: Annotated[str, MaxLength(100)]
    email: str
    active: bool = True


class Comment(Schema, slots=True):
    author: Author
    text: str
    stars: Annotated[int, Field(ge=0, le=5)]
    at: datetime.datetime


class Article(Schema, slots=True):
    id: int
    uid: uuid.UUID
    title: Annotated[str, MaxLength(100)]
    body: str
    price: decimal.Decimal
    rating: float | None
    published: datetime.date
    tags: list[str]
    author: Author
    comments: list[Comment]


class MAuthor(msgspec.Struct):
    id: int
    name: Annotated[str, msgspec.Meta(max_length=100)]
    email: str
    active: bool = True


class MComment(msgspec.Struct):
    author: MAuthor
    text: str
    stars: Annotated[int, msgspec.Meta(ge=0, le=5)]
    at: datetime.datetime


class MArticle(msgspec.Struct):
    id: int
    uid: uuid.UUID
    title: Annotated[str, msgspec.Meta(max_length=100)]
    body: str
    price: decimal.Decimal
    rating: float | None
    published: datetime.date
    tags: list[str]
    author: MAuthor
    comments: list[MComment]


class PAuthor(pydantic.BaseModel):
    id: int
    name: Name
    email: str
    active: bool = True


class PComment(pydantic.BaseModel):
    author: PAuthor
    text: str
    stars: Stars
    at: datetime.datetime


class PArticle(pydantic.BaseModel):
    id: int
    uid: uuid.UUID
    title: Name
    body: str
    price: decimal.Decimal
    rating: float | None
    published: datetime.date
    tags: list[str]
    author: PAuthor
    comments: list[PComment]


def article(number: int) -> dict[str, Any]:
    author = {"id": number, "name": f"Author {number}", "email": f"a{number}@example.com", "active": number % 2 == 0}
    return {
        "id": number,
        "uid": str(uuid.UUID(int=number * 7919)),
        "title": f"Title of article {number}",
        "body": "Plain text of some length. " * 8,
        "price": f"{number}.50",
        "rating": None if number % 3 == 0 else number / 8,
        "published": "2026-11-20",
        "tags": ["engines", "looms", "weaving"],
        "author": author,
        "comments": [
            {"author": author, "text": f"Comment {n}", "stars": n % 6, "at": "2026-11-20T12:30:45.123456Z"}
            for n in range(5)
        ],
    }


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    ways: dict[str, Callable[[], Any]]


def works(data: bytes, many: bytes) -> list[Work]:
    ours, all_ours = Article.compiled, Schema.from_type(list[Article])
    theirs, all_theirs = msgspec.json.Decoder(MArticle), msgspec.json.Decoder(list[MArticle])
    adapter, encoder = pydantic.TypeAdapter(list[PArticle]), msgspec.json.Encoder()
    one = (ours.validate_json(data), PArticle.model_validate_json(data), theirs.decode(data))
    lots = (all_ours.validate_json(many), adapter.validate_json(many), all_theirs.decode(many))
    ways: dict[str, tuple[Callable[[], Any], ...]] = {
        "validate one": (
            lambda: ours.validate_json(data),
            lambda: PArticle.model_validate_json(data),
            lambda: theirs.decode(data),
        ),
        "validate 100": (
            lambda: all_ours.validate_json(many),
            lambda: adapter.validate_json(many),
            lambda: all_theirs.decode(many),
        ),
        "dump one": (
            lambda: ours.dump(one[0]),
            lambda: one[1].model_dump_json().encode(),
            lambda: encoder.encode(one[2]),
        ),
        "dump 100": (
            lambda: all_ours.dump(lots[0]),
            lambda: adapter.dump_json(lots[1]),
            lambda: encoder.encode(lots[2]),
        ),
    }
    return [Work(name, _named(*found)) for name, found in ways.items()]


def _named(*ways: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    return dict(zip(("plectrum", "pydantic", "msgspec"), ways, strict=True))


def check(data: bytes) -> None:
    """All three understand the same, and write the same values."""
    ours = Article.validate_json(data)
    theirs, model = msgspec.json.decode(data, type=MArticle), PArticle.model_validate_json(data)
    assert dataclasses.asdict(ours) == msgspec.structs.asdict(theirs) | {
        "author": msgspec.structs.asdict(theirs.author),
        "comments": [
            msgspec.structs.asdict(comment) | {"author": msgspec.structs.asdict(comment.author)}
            for comment in theirs.comments
        ],
    }
    assert dataclasses.asdict(ours) == model.model_dump()
    written = json.loads(Article.serialize_to_bytes(ours))
    assert written == json.loads(msgspec.json.encode(theirs)) == json.loads(model.model_dump_json()) == json.loads(data)


def measure(ways: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, float]]:
    """Microseconds per call: median and spread (half of the range) of the rounds."""
    calls = {name: _calls(way) for name, way in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            for _ in range(calls[name]):
                way()
            times[name].append((time.process_time() - start) / calls[name] * 1e6)
    return {name: (statistics.median(found), (max(found) - min(found)) / 2) for name, found in times.items()}


def _calls(way: Callable[[], Any]) -> int:
    calls, start = 0, time.process_time()
    while time.process_time() - start < SECONDS / 4:
        way()
        calls += 1
    return max(1, calls * 4)


def main() -> None:
    data = json.dumps(article(5)).encode()
    many = json.dumps([article(number) for number in range(1, 101)]).encode()
    check(data)
    print(f"Python {sys.version.split()[0]}, {platform.machine()}, CPU time; median of {ROUNDS}, ± half of the range")
    print(f"plectrum {_version()}, pydantic {pydantic.VERSION}, msgspec {msgspec.__version__}; {len(data)} bytes")
    print(f"{'':14}{'plectrum':>18}{'pydantic':>18}{'msgspec':>18}{'÷ pydantic':>12}{'÷ msgspec':>11}")
    for work in works(data, many):
        found = measure(work.ways)
        cells = "".join(f"{f'{median:.1f} ± {spread:.1f} µs':>18}" for median, spread in found.values())
        ours, pydantics, msgspecs = (median for median, _ in found.values())
        print(f"{work.name:14}{cells}{ours / pydantics:>11.2f}x{ours / msgspecs:>10.2f}x")


def _version() -> str:
    from importlib.metadata import version

    assert plectrum
    return version("plectrum")


if __name__ == "__main__":
    main()
