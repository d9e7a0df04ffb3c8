"""What a queryset can do to its rows: annotations, aggregates, values, deferred columns, combined queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Concat, ExtractYear, Length, Rank, TruncMonth, Upper
from rest_framework import serializers

from tests.zoo.models import Author, Book, Contribution, Country, Label

from .library import fill
from .ways import Ways, assert_same, exact, reference, serializer_of

Case_ = tuple[Callable[[], QuerySet[Any]], Any]

INT, TEXT, FLOAT, BOOL = (getattr(serializers, f"{name}Field") for name in ("Integer", "Char", "Float", "Boolean"))
PRICE = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
DATE = serializers.DateField()

CHILE = Country.objects.filter(name="Chile").order_by()


def record(**fields: Any) -> Any:
    """DRF's serializer of rows that are no model's."""
    return type("RecordSerializer", (serializers.Serializer,), fields)


def some(model: Any, *names: str, **declared: Any) -> Any:
    """DRF's serializer of some fields of a model."""
    serializer = serializer_of(model, **declared)
    serializer.Meta.fields = [*names, *declared]  # type: ignore[attr-defined]
    return serializer


CASES: dict[str, Case_] = {
    "count": (lambda: Author.objects.annotate(n=Count("books")), serializer_of(Author, n=INT())),
    "counts of two relations": (
        lambda: Book.objects.annotate(a=Count("labels", distinct=True), b=Count("contributors", distinct=True)),
        serializer_of(Book, a=INT(), b=INT()),
    ),
    "filtered aggregates": (
        lambda: Author.objects.annotate(
            cheap=Count("books", filter=Q(books__price__lt=10)),
            least=Max("books__printed_on", filter=~Q(books__publisher=None)),
        ),
        serializer_of(Author, cheap=INT(), least=DATE),
    ),
    "sums and means": (
        lambda: Author.objects.annotate(total=Sum("books__price"), share=Avg("contributions__share")),
        serializer_of(Author, total=PRICE, share=FLOAT()),
    ),
    "coalesced": (
        lambda: Author.objects.annotate(total=Coalesce(Sum("books__price"), Value(0), output_field=Book.price.field)),
        serializer_of(Author, total=serializers.DecimalField(max_digits=None, decimal_places=None)),
    ),
    "having": (lambda: Author.objects.annotate(n=Count("books")).filter(n__gt=5), serializer_of(Author, n=INT())),
    "cases": (
        lambda: Book.objects.annotate(
            class_=Case(When(price__lt=10, then=Value("cheap")), When(price__lt=20, then=Value("fair")), default=None)
        ),
        serializer_of(Book, class_=TEXT()),
    ),
    "conditions": (
        lambda: Book.objects.annotate(
            cheap=Q(price__lt=10), labelled=Exists(Label.objects.filter(books=OuterRef("pk")))
        ),
        serializer_of(Book, cheap=BOOL(), labelled=BOOL()),
    ),
    "subqueries": (
        lambda: Author.objects.annotate(
            last=Subquery(Book.objects.filter(author=OuterRef("pk")).order_by("-pk").values("title")[:1]),
            country=F("born_in__name"),
        ),
        serializer_of(Author, last=TEXT(), country=TEXT()),
    ),
    "arithmetic": (
        lambda: Contribution.objects.annotate(
            double=ExpressionWrapper(F("share") * 2, output_field=FloatField()), next=F("book_id") + 1
        ),
        serializer_of(Contribution, double=FLOAT(), next=INT()),
    ),
    "functions": (
        lambda: Book.objects.annotate(
            shout=Upper("title"), size=Length("title"), both=Concat("title", Value(" / "), "author__name")
        ),
        serializer_of(Book, shout=TEXT(), size=INT(), both=TEXT()),
    ),
    "only": (lambda: Book.objects.only("title", "author"), some(Book, "id", "title", "author")),
    "only of a joined row": (
        lambda: Book.objects.select_related("author").only("title", "author__name"),
        some(Book, "id", "title", author=some(Author, "id", "name")()),
    ),
    "defer": (
        lambda: Book.objects.defer("title", "printed_on"),
        some(
            Book,
            "id",
            "price",
            "author",
            "editor",
            "country",
            "publisher",
            "series",
            "sequel_to",
            "labels",
            "contributors",
        ),
    ),
    "slices": (lambda: Book.objects.order_by("-price", "pk")[7:21], serializer_of(Book)),
    "an empty slice": (lambda: Book.objects.all()[1000:1001], serializer_of(Book)),
    "none": (Book.objects.none, serializer_of(Book)),
    "never true": (lambda: Book.objects.filter(pk__in=[]), serializer_of(Book)),
    "ordered across relations": (
        lambda: Book.objects.order_by(F("publisher__number").desc(nulls_last=True), "-author__name", "pk"),
        serializer_of(Book),
    ),
    "distinct": (lambda: Author.objects.filter(books__price__gt=5).distinct(), serializer_of(Author)),
    "lookups": (
        lambda: Book.objects.filter(
            Q(title__icontains="BOOK 1") | Q(author__name__endswith="3"),
            ~Q(labels__slug="label-1"),
            price__range=(1, 25),
        ),
        serializer_of(Book),
    ),
    "percent signs": (
        lambda: Book.objects.exclude(title__contains="%").annotate(sign=Value("100%")),
        serializer_of(Book, sign=TEXT()),
    ),
    "values": (
        lambda: Book.objects.values("id", "title", "price", "printed_on", "author__name", "country"),
        record(id=INT(), title=TEXT(), price=PRICE, printed_on=DATE, author__name=TEXT(), country=TEXT()),
    ),
    "all values": (
        Author.objects.values,
        record(id=INT(), name=TEXT(), born_in_id=TEXT(), born_at=serializers.DateTimeField()),
    ),
    "grouped values": (
        lambda: Book.objects.values("author").annotate(n=Count("pk"), total=Sum("price")).order_by("author"),
        record(author=INT(), n=INT(), total=PRICE),
    ),
    "distinct values": (
        lambda: Book.objects.order_by("publisher").values("publisher").distinct(),
        record(publisher=TEXT()),
    ),
    "dates": (
        lambda: (
            Book.objects.values(month=TruncMonth("printed_on"), year=ExtractYear("printed_on"))
            .annotate(n=Count("pk"))
            .order_by("month")
        ),
        record(month=DATE, year=INT(), n=INT()),
    ),
    "combined": (
        lambda: CHILE.union(Country.objects.filter(name="日本").order_by()).order_by("name"),
        serializer_of(Country),
    ),
}
LISTS: dict[str, tuple[Callable[[], QuerySet[Any]], Callable[[Any], Any]]] = {
    "tuples": (lambda: Book.objects.values_list("id", "title"), lambda row: [row["id"], row["title"]]),
    "flat": (lambda: Book.objects.values_list("title", flat=True), lambda row: row["title"]),
    "named": (
        lambda: Book.objects.values_list("title", "id", named=True),
        lambda row: {k: row[k] for k in ("title", "id")},
    ),
}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_queries(alias: str, subtests: Any) -> None:
    fill(alias)
    for name, (query, serializer) in CASES.items():
        with subtests.test(name), Ways(lambda query=query: query().using(alias), alias) as ways:
            assert_same(ways.answer(), reference(query().using(alias), serializer))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_lists(alias: str, subtests: Any) -> None:
    fill(alias)
    books = exact(reference(Book.objects.using(alias), serializer_of(Book)))
    for name, (query, pick) in LISTS.items():
        with subtests.test(name), Ways(lambda query=query: query().using(alias), alias) as ways:
            assert exact(ways.answer()) == [pick(book) for book in books]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_ranks() -> None:
    """Window functions."""
    fill("default")

    def query() -> QuerySet[Book]:
        return Book.objects.annotate(rank=Window(Rank(), partition_by="author", order_by="-price"))

    with Ways(query, "default") as ways:
        assert_same(ways.answer(), reference(query(), serializer_of(Book, rank=INT())))
