"""Exports are what the queryset holds, whichever connection reads it, and never look complete when they are not."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import io
import json
import time
from typing import Any

import pytest
from catalog.models import Article, Author
from django.db import connection, connections, transaction
from django.db.models import F, Func, QuerySet, Value
from django.db.models.fields import IntegerField

from plectrum.errors import ConfigurationError, PlanError
from plectrum.export import ExportError, serialize_stream
from plectrum.export.sources import _Django, _Postgres
from tests.export.conftest import ARTICLES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]


def full() -> QuerySet[Article]:
    return Article.objects.select_related("author", "category").prefetch_related("tags").order_by("id")


@pytest.mark.parametrize("format", ["json", "ndjson", "csv"])
@pytest.mark.parametrize("batch", [1, 7, ARTICLES, 1000])
def test_both_connections_write_the_same(format: Any, batch: int) -> None:
    ours = serialize_stream(full(), format=format, batch=batch)
    text = b"".join(ours)
    if connection.vendor == "postgresql":
        assert isinstance(ours._source, _Postgres)
    with transaction.atomic():
        djangos = serialize_stream(full(), format=format, batch=batch)
        assert b"".join(djangos) == text
        assert isinstance(djangos._source, _Django)
    assert ours.rows == djangos.rows == ARTICLES


def test_json_is_one_array_and_ndjson_a_row_per_line() -> None:
    rows = json.loads(b"".join(serialize_stream(full(), batch=4)))
    assert [row["id"] for row in rows] == list(full().values_list("id", flat=True))
    assert rows[2]["author"]["name"] == full()[2].author.name
    assert [len(row["tags"]) for row in rows[:4]] == [0, 1, 2, 0]
    lines = b"".join(serialize_stream(full(), format="ndjson", batch=4)).decode().splitlines()
    assert [json.loads(line) for line in lines] == rows


def test_csv_is_read_back() -> None:
    Article.objects.filter(title__isnull=False).update(title='say "hi",\nthen go')
    rows = full().values("id", "title", "price", "rating", "details")
    [*read] = csv.DictReader(io.StringIO(b"".join(serialize_stream(rows, format="csv")).decode(), newline=""))
    for line, row in zip(read, rows, strict=True):
        assert (line["id"], line["title"]) == (str(row["id"]), row["title"])
        assert line["price"] == str(row["price"])
        assert line["rating"] == ("" if row["rating"] is None else str(row["rating"]))
        assert json.loads(line["details"]) == row["details"]


@dataclasses.dataclass
class Writer:
    id: int
    name: str


@dataclasses.dataclass
class Line:
    title: str
    author: Writer


def test_a_class_chooses_fields_and_columns() -> None:
    [head, first, *_] = b"".join(serialize_stream(full(), Line, "csv")).decode().split("\r\n")
    assert head == "title,author.id,author.name"
    assert first == f"{full()[0].title},{full()[0].author_id},{full()[0].author.name}"


@pytest.mark.parametrize(("format", "empty"), [("json", b"[]"), ("ndjson", b""), ("csv", b"id\r\n")])
@pytest.mark.parametrize("rows", [Author.objects.none(), Author.objects.filter(pk=-1)], ids=["none", "nothing"])
def test_no_rows(format: Any, empty: bytes, rows: QuerySet[Author]) -> None:
    stream = serialize_stream(rows.values("id"), format=format)
    assert b"".join(stream) == empty
    assert stream.rows == 0


def test_formulas_are_guarded_on_request() -> None:
    Article.objects.update(title="=1+1")
    rows = Article.objects.values("title")[:1]
    assert b"".join(serialize_stream(rows, format="csv")) == b"title\r\n=1+1\r\n"
    assert b"".join(serialize_stream(rows, format="csv", guard_formulas=True)) == b"title\r\n'=1+1\r\n"


def test_what_cannot_be_exported_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"'xml'\. Choose one of: json, ndjson, csv"):
        serialize_stream(full(), format="xml")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="batch is 0"):
        serialize_stream(full(), batch=0)
    with pytest.raises(PlanError, match=r"Write \.values\(\) instead"):
        serialize_stream(Article.objects.values_list("id"), format="csv")


def failing() -> QuerySet[Any, Any]:
    """Divides by zero in the twentieth row."""
    ids = list(Article.objects.order_by("id").values_list("id", flat=True))
    return Article.objects.order_by().annotate(bad=Value(1) / (F("id") - ids[19])).values("id", "bad")


@pytest.mark.postgresql
@pytest.mark.parametrize("format", ["json", "ndjson", "csv"])
@pytest.mark.parametrize("inside", [False, True], ids=["rust", "django"])
def test_a_file_that_broke_off_is_not_readable(format: Any, inside: bool) -> None:
    got = b""
    stream = serialize_stream(failing(), format=format, batch=5)
    with pytest.raises(ExportError, match=r"broke off after 15 rows.*division by zero") as caught:  # noqa: PT012
        for piece in stream if not inside else within(stream):
            got += piece
    assert caught.value.rows == 15
    assert list(stream) == []
    if format == "csv":
        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(got.decode(), newline=""), strict=True))
    else:
        with pytest.raises(json.JSONDecodeError):
            [json.loads(line) for line in got.decode().splitlines()]


def within(stream: Any) -> Any:
    with transaction.atomic():
        yield from stream


@pytest.mark.postgresql
def test_an_error_before_the_first_piece_is_only_an_error() -> None:
    stream = serialize_stream(Article.objects.annotate(bad=Value(1) / (F("id") - F("id"))), format="csv")
    with pytest.raises(ExportError, match="after 0 rows"):
        next(stream)


def sleepers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%plectrum_export%' AND state = 'active'"
            " AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def exports() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%plectrum_export%' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def eventually(condition: Any) -> bool:
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Sleep(Func):
    function = "pg_sleep"
    template = "(SELECT 1 FROM %(function)s(%(expressions)s))"
    output_field = IntegerField()


@pytest.mark.postgresql
def test_closing_stops_the_query() -> None:
    stream = serialize_stream(Article.objects.values("id"), batch=1)
    next(stream)
    assert eventually(lambda: exports() == 1)
    stream.close()
    assert eventually(lambda: exports() == 0)
    assert list(stream) == []


@pytest.mark.postgresql
def test_dropping_stops_the_query() -> None:
    stream = serialize_stream(Article.objects.values("id"), batch=1)
    next(stream)
    assert exports() == 1
    del stream
    assert eventually(lambda: exports() == 0)


@pytest.mark.postgresql
def test_closing_from_elsewhere_stops_a_query_that_gives_nothing() -> None:
    async def abandoned() -> None:
        stream = serialize_stream(Article.objects.annotate(s=Sleep(Value(30.0))).values("id", "s"), batch=1)
        task = asyncio.ensure_future(anext(aiter(stream)))
        await asyncio.sleep(0.3)
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await task

    started = time.monotonic()
    asyncio.run(abandoned())
    assert time.monotonic() - started < 5
    assert eventually(lambda: sleepers() == 0)


def test_asynchronous_iteration_gives_the_same() -> None:
    async def collected() -> bytes:
        return b"".join([piece async for piece in serialize_stream(full(), batch=4)])

    assert asyncio.run(collected()) == b"".join(serialize_stream(full(), batch=4))


@pytest.mark.django_db(transaction=True, databases=["default", "sqlite"])
def test_sqlite_is_read_step_by_step() -> None:
    Author.objects.using("sqlite").bulk_create(
        Author(name=f"a{n}", email=f"{n}@x.org", joined_at="2024-01-01T00:00Z") for n in range(9)
    )
    with connections["sqlite"].execute_wrapper(lambda execute, *args: execute(*args)):
        stream = serialize_stream(Author.objects.using("sqlite").order_by("id").values("name"), batch=2)
        pieces = list(stream)
    assert len(pieces) == 6  # five batches and the end
    assert json.loads(b"".join(pieces)) == [{"name": f"a{n}"} for n in range(9)]


@pytest.mark.postgresql
def test_rows_and_relations_are_of_one_moment() -> None:
    stream = serialize_stream(full(), batch=5)
    first = next(stream)
    Article.tags.through.objects.all().delete()
    Article.objects.filter(pk=full().last().pk).delete()  # type: ignore[union-attr]
    rows = json.loads(first + b"".join(stream))
    assert len(rows) == ARTICLES
    assert len(rows[20]["tags"]) == 2
