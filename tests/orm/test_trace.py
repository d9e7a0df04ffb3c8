"""Traced query functions give the rows Django gives for the same values."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import django
import pytest
from catalog.models import Article, Author, Comment
from django.db import connections
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from plectrum.errors import PlanError
from tests.orm.conftest import traced
from tests.orm.interpret import answer
from tests.project.models import EveryField, PostgresField

pytestmark = pytest.mark.django_db(databases="__all__")
articles = Article.objects


def by_author(author: int) -> Any:
    return articles.filter(author=author)


def by_author_id(author_id: int) -> Any:
    return articles.filter(author_id=author_id)


def by_uid(uid: uuid.UUID) -> Any:
    return articles.filter(uid=uid)


def comparisons(least: int, most: int) -> Any:
    return articles.filter(views__gte=least, views__lt=most)


def between(least: int, most: int) -> Any:
    return articles.filter(views__range=(least, most))


def contains(text: str) -> Any:
    return articles.filter(title__icontains=text)


def starts(text: str) -> Any:
    return articles.filter(Q(title__startswith=text) | Q(title__iendswith=text))


def iexact(text: str) -> Any:
    return articles.filter(author__name__iexact=text)


def among(ids: list[int]) -> Any:
    return articles.filter(id__in=ids)


def not_among(names: list[str]) -> Any:
    return articles.exclude(author__name__in=names)


def among_authors(authors: list[int]) -> Any:
    return articles.filter(author__in=authors)


def among_mixed(views: int) -> Any:
    return articles.filter(views__in=[views, 20, 30])


def either(status: str, views: int) -> Any:
    return articles.filter(Q(status=status) | ~Q(views__gt=views))


def excluded(stars: int) -> Any:
    return articles.exclude(comments__stars__gte=stars)


def joined(name: str) -> Any:
    return articles.filter(author__name=name, category__parent__name="Root")


def own_columns(extra: int) -> Any:
    return articles.filter(views__gt=F("id") + extra)


def on_day(day: dt.date) -> Any:
    return articles.filter(created_at__date=day)


def since(moment: dt.datetime) -> Any:
    return articles.filter(created_at__gte=moment)


def at_price(price: Decimal) -> Any:
    return articles.filter(price__lte=price)


def rated(rating: float) -> Any:
    return articles.filter(rating__gt=rating)


def featured(flag: bool) -> Any:
    return articles.filter(featured=flag)


def for_long(time: dt.timedelta) -> Any:
    return articles.filter(reading_time__gte=time)


def published(day: dt.date) -> Any:
    return articles.filter(published_on__gt=day)


def without_date(flag: bool) -> Any:
    return articles.filter(published_on__isnull=flag)


def annotated(extra: int) -> Any:
    return articles.annotate(total=F("views") + extra, doubled=F("views") * 2)


def popular(stars: int, least: int) -> Any:
    return articles.annotate(good=Count("comments", filter=Q(comments__stars__gte=stars))).filter(good__gte=least)


def latest(stars: int) -> Any:
    newest = Comment.objects.filter(article=OuterRef("pk"), stars__gte=stars).order_by("-id").values("name")[:1]
    return articles.annotate(newest=Subquery(newest), any=Exists(Comment.objects.filter(article=OuterRef("pk"))))


def cased(views: int, label: str) -> Any:
    level = Case(
        When(views__gte=views, then=Value("high")), When(title=label, then=Value("named")), default=Value("low")
    )
    return articles.annotate(level=level).order_by("level", "id")


def coalesced(default: float) -> Any:
    return articles.annotate(stars=Coalesce(F("rating"), default)).order_by("-stars", "id")


def grouped(least: int) -> Any:
    rows = articles.values("author__name").annotate(n=Count("id"), views=Sum("views")).filter(views__gt=least)
    return rows.order_by("author__name")


def listed(least: int) -> Any:
    return articles.filter(views__gt=least).values_list("id", "title", "price")


def flat(least: int) -> Any:
    return articles.filter(views__gt=least).values_list("title", flat=True)


def distinct(status: str) -> Any:
    return Author.objects.filter(articles__status=status).distinct().order_by("-name")


def unioned(least: int, most: int) -> Any:
    low, high = articles.filter(views__lt=least).order_by(), articles.filter(views__gt=most).order_by()
    return low.union(high).order_by("id")


def sliced(start: int, stop: int) -> Any:
    return articles.order_by("-id")[start:stop]


def paged(page: int, size: int) -> Any:
    return articles.order_by("id")[(page - 1) * size : page * size]


def in_json(name: str) -> Any:
    return articles.filter(details__name=name)


@pytest.mark.postgresql
@pytest.mark.django_db
def test_containers() -> None:
    PostgresField.objects.create(integers=[1, 2, 3], words=["a"])

    def arrays(some: list[int]) -> Any:
        return PostgresField.objects.filter(integers__contains=some).values_list("words", flat=True)

    def overlapping(words: list[str]) -> Any:
        return PostgresField.objects.filter(words__overlap=words).values_list("integers", flat=True)

    assert answer(traced(arrays), [[1, 2]]) == [["a"]]
    assert answer(traced(arrays), [[4]]) == []
    assert answer(traced(overlapping), [["b", "a"]]) == [[1, 2, 3]]

    def documents(part: dict[str, Any]) -> Any:
        return EveryField.objects.filter(json__contains=part).values_list("json", flat=True)

    EveryField.objects.create(json={"a": 1, "b": 2})
    assert answer(traced(documents), [{"b": 2}], backend="django") == [{"a": 1, "b": 2}]


def test_json_numbers_by_a_parameter(shop: str) -> None:
    def least(n: int) -> Any:
        return articles.filter(details__n__gte=n).values_list("id", flat=True)

    if connections[shop].vendor == "sqlite" and django.VERSION < (6,):  # there it reads the value in Python
        with pytest.raises(PlanError, match=r"Django cannot compile the query for SQLite: .* not a parameter$"):
            traced(least, using=shop)
        return
    found = answer(traced(least, using=shop), [10])
    assert found == list(least(10).using(shop))
    assert len(found) == 2


def test_json_documents_by_a_parameter(shop: str) -> None:
    def whole(value: str) -> Any:
        return articles.filter(details=value)

    def among(values: list[str]) -> Any:
        return articles.filter(details__name__in=values)

    message = "has no text of its own before the request. Compare a single key with a scalar parameter"
    with pytest.raises(PlanError, match=message):
        traced(among, using=shop)
    if connections[shop].vendor == "sqlite":
        with pytest.raises(PlanError, match=message):
            traced(whole, using=shop)
    else:
        assert answer(traced(whole), ["é"]) == []


CASES = [
    (by_author, lambda s: [s["author"]]),
    (by_author_id, lambda s: [s["author"]]),
    (by_uid, lambda s: [s["uid"]]),
    (comparisons, lambda s: [20, 90]),
    (between, lambda s: [20, 90]),
    (contains, lambda s: ["1 100%_x"]),
    (contains, lambda s: ["\\"]),
    (starts, lambda s: ["Article 1"]),
    (starts, lambda s: ["XX"]),
    (iexact, lambda s: ["bob %_\\ 'X'"]),
    (iexact, lambda s: ["%"]),
    (among, lambda s: [s["ids"][:3]]),
    (among, lambda s: [[]]),
    (not_among, lambda s: [["Anaïs", "nobody"]]),
    (not_among, lambda s: [[]]),
    (among_authors, lambda s: [[s["author"], 10**9]]),
    (among_mixed, lambda s: [70]),
    (either, lambda s: ["live", 30]),
    (excluded, lambda s: [1]),
    (joined, lambda s: ["日本"]),
    (own_columns, lambda s: [50]),
    (on_day, lambda s: [dt.date(2026, 1, 4)]),
    (since, lambda s: [dt.datetime(2026, 1, 6, 5, 4, 5, 678901, tzinfo=dt.timezone(dt.timedelta(hours=2)))]),
    (at_price, lambda s: [Decimal("4.50")]),
    (rated, lambda s: [2.5]),
    (featured, lambda s: [False]),
    (for_long, lambda s: [dt.timedelta(days=3, microseconds=3)]),
    (published, lambda s: [dt.date(2026, 1, 6)]),
    (without_date, lambda s: [True]),
    (without_date, lambda s: [False]),
    (annotated, lambda s: [7]),
    (popular, lambda s: [1, 1]),
    (latest, lambda s: [1]),
    (cased, lambda s: [80, "Article 3 100%_xxx"]),
    (coalesced, lambda s: [3.25]),
    (grouped, lambda s: [180]),
    (listed, lambda s: [60]),
    (flat, lambda s: [60]),
    (distinct, lambda s: ["live"]),
    (unioned, lambda s: [20, 90]),
    (sliced, lambda s: [2, 5]),
    (sliced, lambda s: [5, 2]),
    (sliced, lambda s: [0, 3]),
    (paged, lambda s: [2, 5]),
    (in_json, lambda s: ["n3"]),
]


@pytest.mark.parametrize(("function", "values"), CASES, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("backend", [None, "django"])
def test_rows_are_djangos(shop: str, function: Any, values: Any, backend: str | None) -> None:
    some = {
        "author": Author.objects.using(shop).get(name__startswith="Bob").pk,
        "uid": articles.using(shop).first().uid,  # type: ignore[union-attr]
        "ids": list(articles.using(shop).values_list("id", flat=True)),
    }
    arguments = values(some)
    operation = traced(function, using=shop)
    found = answer(operation, arguments, backend=backend)
    assert found == [_expected(row) for row in function(*arguments).using(shop)]
    if function not in (on_day, between) and shop == "default":
        assert operation.backend == "rust", operation.reasons


def _expected(row: Any) -> Any:
    if isinstance(row, dict):
        return {key: _plain(value) for key, value in row.items()}
    if isinstance(row, tuple):
        return [_plain(value) for value in row]
    if isinstance(row, str):
        return row
    from rest_framework import serializers

    class Serializer(serializers.ModelSerializer):  # type: ignore[type-arg]
        class Meta:
            model = type(row)
            fields = "__all__"

    body = dict(Serializer(row).data)
    names = {field.name for field in row._meta.get_fields()} | {"_state"}
    extras = {key: value for key, value in vars(row).items() if key not in names and not key.startswith("_")}
    attnames = {field.attname for field in row._meta.concrete_fields}
    return {**_json(body), **{key: _plain(value) for key, value in extras.items() if key not in attnames}}


def _json(body: Any) -> Any:
    import json

    from rest_framework.renderers import JSONRenderer

    return json.loads(JSONRenderer().render(body))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
