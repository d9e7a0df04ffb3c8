"""`to_json` of querysets without model instances: DRF's bytes, DRF's errors, and instances wherever they tell more."""

from __future__ import annotations

import asyncio
import datetime as dt
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from catalog.models import Article, Author, Category
from django.core.exceptions import SynchronousOnlyOperation
from django.db import DatabaseError, connections, transaction
from django.db.models import Count, F, Prefetch, QuerySet, Value
from django.db.models.signals import post_init
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers as s
from rest_framework.renderers import JSONRenderer

from plectrum.drf import count_fields, to_json
from plectrum.drf.direct import queryset_bytes
from tests.drf.compare import outcome, rust
from tests.orm.drf import serializer
from tests.project import models
from tests.project.models import EveryField, Related

pytestmark = pytest.mark.django_db(databases="__all__")

# What plain columns hold: everything but bytes, addresses, files and what the database generates.
SHOWN = [
    field.name
    for field in EveryField._meta.concrete_fields
    if field.name.partition("_")[0] not in ("binary", "ip", "file", "generated")
]
PLAIN = serializer(EveryField, SHOWN)
SHOP = serializer(Article, ["id", "author", "category", "title", "status", "price", "created_at", "reading_time"])


def same(kind: Any, rows: Any, *, direct: bool, **options: Any) -> Any:
    """Asserts DRF's bytes, and which way they came; gives them."""
    expected = outcome(lambda: JSONRenderer().render(kind(rows.all(), many=True, **options).data))
    for made in (kind, rust(kind)):
        assert outcome(lambda made=made: to_json(made(rows.all(), many=True, **options))) == expected
        assert (queryset_bytes(made(**options), rows.all()) is not None) is direct
    return expected


@contextmanager
def listening(model: Any) -> Iterator[None]:
    def listen(**_: Any) -> None: ...

    post_init.connect(listen, sender=model)
    try:
        yield
    finally:
        post_init.disconnect(listen, sender=model)


@pytest.fixture
def articles() -> QuerySet[Article]:
    author = Author.objects.create(name="A", email="a@x.org", joined_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    category = Category.objects.create(name="root", slug="root")
    for number in range(4):
        Article.objects.create(
            author=author,
            category=category if number % 2 else None,
            title=f"t{number}",
            slug=f"s{number}",
            body="b",
            price=Decimal("1.50"),
            created_at=dt.datetime(2026, 1 + 6 * (number % 2), 1, 2, 3, 4, number, tzinfo=dt.UTC),
            updated_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC),
            reading_time=dt.timedelta(minutes=number) if number else None,
        )
    return Article.objects.order_by("id")


def test_every_kind_of_column(alias: str) -> None:
    rows = EveryField.objects.using(alias)
    assert same(PLAIN, rows, direct=True) == (bytes, "b'[]'")
    rows.create()
    rows.create(
        boolean_null=True, big=2**62, big_null=-(2**62), floating=1.5, floating_null=1e300, decimal=Decimal("-123.456"),
        decimal_null=Decimal(0), decimal_whole=Decimal(10), char="ü“\u2028\"\\\x1f", char_null="",
        datetime_null=dt.datetime(2026, 5, 6, 7, 8, 9, 10, tzinfo=dt.UTC),
        time=dt.time(1, 2, 3, 4), time_null=dt.time(0),
        date_null=dt.date(1, 1, 1), duration=dt.timedelta(days=-3, microseconds=5), duration_null=dt.timedelta(1),
        json={"b": [10**30, 1.10, 1e16, -0.0], "ü\u2028": " a ", "": [{}, []]}, json_null="x", color_null=2,
    )  # fmt: skip
    rows.create(json=[None], datetime=dt.datetime(1890, 1, 1, tzinfo=dt.UTC), floating=1e-7, decimal=Decimal("-0.001"))
    same(PLAIN, rows, direct=True)
    same(PLAIN, rows.order_by("-id")[1:2], direct=True)
    for name in ("binary", "ip", "file"):
        same(serializer(EveryField, ["id", "x"], x=s.ReadOnlyField(source=name)), rows.none(), direct=False)
    same(serializer(EveryField, ["id", "file"]), rows, direct=False, context={"request": RequestFactory().get("/")})


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "America/St_Johns", "Asia/Kathmandu"])
def test_time_zones(alias: str, zone: str) -> None:
    for moment in ("1890-03-04T05:06:07", "1945-08-01T00:00", "2026-03-29T01:30", "2026-10-25T00:30:00.5"):
        EveryField.objects.using(alias).create(datetime=dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC))
    with timezone.override(zone):
        same(PLAIN, EveryField.objects.using(alias), direct=True)
    with timezone.override(dt.timezone(dt.timedelta(hours=2))):
        same(PLAIN, EveryField.objects.using(alias), direct=False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_values(alias: str, data: st.DataObject) -> None:
    text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
    leaves = st.none() | st.booleans() | numbers | text
    moments = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31), timezones=st.just(dt.UTC))
    values = {
        "integer": st.integers(-(2**31), 2**31 - 1),
        "floating": st.floats(allow_nan=False, allow_infinity=False, width=64),
        "decimal": st.decimals(-(10**8), 10**8, places=3, allow_nan=False),
        "text": text,
        "uuid": st.uuids(),
        "date": st.dates(),
        "time": st.times(),
        "datetime": moments,
        "duration": st.timedeltas(dt.timedelta(days=-9999), dt.timedelta(days=9999)),
        "json": st.lists(
            st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=6), max_size=2
        ),
    }
    with transaction.atomic(using=alias):
        EveryField.objects.using(alias).create(**data.draw(st.fixed_dictionaries(values)))
        same(PLAIN, EveryField.objects.using(alias), direct=True)
        transaction.set_rollback(True, using=alias)


def test_keys_of_related_objects(alias: str) -> None:
    key = models.UuidKey.objects.using(alias).create(name="u")
    text = models.TextKey.objects.using(alias).create(code="c", name="t")
    Related.objects.using(alias).create(uuid=key, text=text)
    Related.objects.using(alias).create(parent=Related.objects.using(alias).get())
    rows = Related.objects.using(alias)
    same(serializer(Related, ["id", "small", "auto", "uuid", "text", "one", "parent"]), rows, direct=True)
    same(serializer(Related, ["id", "key"], key=s.UUIDField(source="uuid_id")), rows, direct=True)
    same(serializer(Related), rows, direct=False)
    same(serializer(models.Restaurant), models.Restaurant.objects.using(alias), direct=True)
    same(serializer(models.Wallet), models.Wallet.objects.using(alias), direct=False)
    same(serializer(models.Door, ["id"]), models.Door.objects.using(alias), direct=True)


@pytest.mark.parametrize(
    ("change", "direct"),
    [
        (lambda rows: rows.filter(category=None).exclude(title="t0"), True),
        (lambda rows: rows.filter(author__name="A").order_by("author__name", "-id"), True),
        (lambda rows: rows.distinct()[1:], True),
        (lambda rows: rows[:2], True),
        (lambda rows: rows.none(), True),
        (lambda rows: rows.annotate(n=Count("comments")).filter(n=0), True),
        (lambda rows: rows.defer("body"), True),
        (lambda rows: rows.only(*SHOP.Meta.fields), True),
        (lambda rows: rows.defer("price"), False),
        (lambda rows: rows.only("title"), False),
        (lambda rows: rows.select_related("author", "category__parent"), True),
        (lambda rows: rows.select_related(), False),
        (lambda rows: rows.prefetch_related("tags", "category__parent"), True),
        (lambda rows: rows.prefetch_related("nothing"), False),
        (lambda rows: rows.prefetch_related(Prefetch("tags", to_attr="labels")), False),
        (lambda rows: rows.extra(select={"title": "slug"}), False),
        (lambda rows: rows.union(rows.filter(id=1)), False),
        (lambda rows: rows.values(*SHOP.Meta.fields), False),
    ],
)
def test_querysets(articles: Any, change: Any, direct: bool) -> None:
    same(SHOP, change(articles), direct=direct)


def test_values_of_conditions(alias: str) -> None:
    """The second query of a shape brings its own."""
    rows = EveryField.objects.using(alias)
    for number in range(3):
        rows.create(
            integer=number,
            char=str(number),
            decimal=Decimal(number),
            date=dt.date(2026, 1, 1 + number),
            datetime=dt.datetime(2026, 1, 1 + number, tzinfo=dt.UTC),
            duration=dt.timedelta(days=number),
        )
    for name in ("integer", "char", "decimal", "date", "datetime", "duration", "uuid"):
        for row in rows.all():
            value = getattr(row, name)
            found = same(PLAIN, rows.filter(**{name: value}), direct=True)
            assert f'"id":{row.pk},' in str(found)
            same(PLAIN, rows.exclude(**{f"{name}__in": [value]}), direct=True)
            same(PLAIN, rows.filter(**{f"{name}__lt": value})[: row.integer], direct=True)


def test_a_coroutine_is_refused_as_by_django(articles: Any) -> None:
    async def ask() -> bytes:
        return to_json(SHOP(articles, many=True))

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(ask())


def test_other_sources_of_rows(articles: Any) -> None:
    author = Author.objects.get()
    for rows in (Article.objects, author.articles, author.articles.filter(id__gt=0)):
        same(SHOP, rows, direct=True)
    prefetched = Author.objects.prefetch_related("articles").get()
    with CaptureQueriesContext(connections["default"]) as captured:
        assert to_json(SHOP(prefetched.articles, many=True)) == to_json(SHOP(list(articles), many=True))
    assert len(captured) == 1  # the list's: those that were read already are not read again

    class Shouting(QuerySet[Article]):
        def _fetch_all(self) -> None:
            super()._fetch_all()
            for row in self._result_cache or ():
                row.title = row.title.upper()

    assert "T0" in str(same(SHOP, Shouting(Article).order_by("id"), direct=False))


def test_one_query_of_the_columns_shown(articles: Any) -> None:
    rows = articles.all()
    with CaptureQueriesContext(connections["default"]) as captured:
        to_json(serializer(Article, ["title"])(rows, many=True))
    assert len(captured) == 1
    assert "slug" not in captured[0]["sql"]
    assert rows._result_cache is None
    rows = articles.filter(title="t1")
    assert len(rows) == 1
    Article.objects.all().delete()
    with CaptureQueriesContext(connections["default"]) as captured:
        assert b"t1" in to_json(SHOP(rows, many=True))
    assert not captured


class _Loud(s.CharField):
    def to_representation(self, value: Any) -> str:
        return str(value).upper()


class _Whole(s.ModelSerializer[Article]):
    class Meta:
        model = Article
        fields: ClassVar[list[str]] = ["title"]

    def to_representation(self, instance: Article) -> Any:
        return {"whole": instance.title}


class _Rows(s.ListSerializer[Any]):
    def to_representation(self, data: Any) -> Any:
        return [*super().to_representation(data), "more"]


@pytest.mark.parametrize(
    "fields",
    [
        {"x": _Loud(source="title")},
        {"x": s.CharField(source="views")},
        {"x": s.IntegerField(source="slug")},
        {"x": s.CharField(source="author.name")},
        {"x": s.CharField(source="get_status_display")},
        {"x": s.ReadOnlyField(source="price")},
        {"x": s.ReadOnlyField(source="created_at")},
        {"x": s.DecimalField(12, 4, source="price")},
        {"x": s.DecimalField(10, 2, source="price", coerce_to_string=False)},
        {"x": s.DateTimeField(source="created_at", format="%Y")},
        {"x": s.DateTimeField(source="created_at", default_timezone=zoneinfo.ZoneInfo("Asia/Tokyo"))},
        {"x": s.ChoiceField([(1, "one")], source="title")},
        {"x": s.PrimaryKeyRelatedField(source="author", read_only=True, pk_field=s.CharField())},
        {"x": s.StringRelatedField(source="author")},
    ],
    ids=lambda fields: repr(fields["x"])[:60],
)
def test_fields_that_are_no_plain_columns(articles: Any, fields: Any) -> None:
    same(serializer(Article, ["id", "x"], **fields), articles, direct=False)


def test_serializers_with_a_will_of_their_own(articles: Any) -> None:
    same(_Whole, articles, direct=False)
    kind = serializer(Article, ["title"])
    kind.Meta.list_serializer_class = _Rows
    assert to_json(kind(articles, many=True)) == JSONRenderer().render(kind(articles, many=True).data)
    made = SHOP(articles.all(), many=True)
    made.child.fields.pop("price")
    made.child.fields["title"].write_only = True
    assert b"price" not in to_json(made)
    assert b"title" not in to_json(made)
    with listening(Article):
        same(SHOP, articles, direct=False)
    with override_settings(REST_FRAMEWORK={"COERCE_DECIMAL_TO_STRING": False}):
        same(serializer(Article, ["price"]), articles, direct=False)
    with override_settings(REST_FRAMEWORK={"UNICODE_JSON": False}):
        assert to_json(SHOP(articles, many=True)) == JSONRenderer().render(SHOP(articles, many=True).data)


def test_what_a_column_should_not_hold() -> None:
    rows = EveryField.objects.using("sqlite")
    kind = serializer(EveryField, ["integer", "floating", "char", "decimal"])
    for name, value in (("integer", "many"), ("integer", "1.5"), ("char", b"x"), ("floating", "x"), ("decimal", "1")):
        row = rows.create()
        with connections["sqlite"].cursor() as cursor:
            cursor.execute(f"UPDATE {EveryField._meta.db_table} SET {name} = %s WHERE id = %s", [value, row.pk])
        found = rows.filter(pk=row.pk)
        expected = outcome(lambda found=found: JSONRenderer().render(kind(found.all(), many=True).data))
        assert outcome(lambda found=found: to_json(kind(found.all(), many=True))) == expected


@pytest.mark.postgresql  # SQLite divides by zero and says nothing
def test_the_databases_errors_are_raised_once(articles: Any) -> None:
    broken = articles.annotate(no=Value(1) / (F("views") - F("views"))).filter(no=1)
    with (
        CaptureQueriesContext(connections["default"]) as captured,
        pytest.raises(DatabaseError, match="division by"),
        transaction.atomic(),
    ):
        to_json(SHOP(broken, many=True))
    assert sum("SELECT" in query["sql"] for query in captured) == 1


def test_fields_are_counted(articles: Any) -> None:
    with count_fields() as stats:
        to_json(SHOP(articles, many=True))
    assert (stats.rust, stats.python) == (4 * 8, 0)
