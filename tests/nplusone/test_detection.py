"""Every kind of relation that is loaded row by row is found and mended by the call that is named; nothing else is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Prefetch, QuerySet
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from plectrum.drf import installed
from plectrum.nplusone import NPlusOneError, NPlusOneWarning, detect_nplusone, hooks, install, uninstall
from tests.zoo.models.relations import Author, Book, Country, Cover, Label, Note, Publisher
from tests.zoo.models.remarks import Remark, Topic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def library(db: None) -> None:
    countries = [Country.objects.create(name=f"Country {n}") for n in range(3)]
    authors = [Author.objects.create(name=f"Author {n}", born_in=countries[n]) for n in range(3)]
    labels = [Label.objects.create(slug=f"label-{n}") for n in range(3)]
    for n, author in enumerate(authors):
        book = Book.objects.create(title=f"Book {n}", price=1, author=author)
        book.labels.set(labels[:2])
        cover = Cover.objects.create(book=book)
        Note.objects.create(cover=cover, text="")
        topic = Topic.objects.create(name=f"Topic {n}")
        Remark.objects.create(text="a", about=topic)
        Remark.objects.create(text="b", about=topic)


def fixes(use: Callable[[], Any]) -> list[tuple[str, str, str]]:
    with warnings.catch_warnings(), detect_nplusone() as found:
        warnings.simplefilter("ignore", NPlusOneWarning)
        use()
    return [(finding.model, finding.relation, finding.fix) for finding in found.findings]


def mended(rows: QuerySet[Any], fix: str) -> QuerySet[Any]:
    result: QuerySet[Any] = eval(f"rows.{fix}", {"rows": rows})
    return result


READS: dict[str, tuple[Callable[[], QuerySet[Any]], Callable[[Any], Any], str]] = {
    "foreign key": (Book.objects.all, lambda book: book.author.name, 'select_related("author")'),
    "two foreign keys": (
        lambda: Book.objects.select_related("author"),
        lambda book: book.author.born_in.name,
        'select_related("author__born_in")',
    ),
    "reverse one-to-one": (Book.objects.all, lambda book: book.cover.pk, 'select_related("cover")'),
    "reverse foreign key": (Author.objects.all, lambda author: list(author.books.all()), 'prefetch_related("books")'),
    "many-to-many": (Book.objects.all, lambda book: len(book.labels.all()), 'prefetch_related("labels")'),
    "its other end": (Label.objects.all, lambda label: label.books.count(), 'prefetch_related("books")'),
    "existence": (Author.objects.all, lambda author: author.books.exists(), 'prefetch_related("books")'),
    "values": (Author.objects.all, lambda author: list(author.books.values("title")), 'prefetch_related("books")'),
    "through a prefetch": (
        lambda: Author.objects.prefetch_related("books"),
        lambda author: [book.cover.pk for book in author.books.all()],
        'prefetch_related("books__cover")',
    ),
    "generic foreign key": (Remark.objects.all, lambda remark: remark.about.name, 'prefetch_related("about")'),
    "generic relation": (Topic.objects.all, lambda topic: list(topic.remarks.all()), 'prefetch_related("remarks")'),
    "iterator": (
        Book.objects.all,
        lambda book: book.author.name,
        'select_related("author")',
    ),
}


@pytest.mark.parametrize("kind", READS)
def test_a_relation_read_row_by_row_is_found_and_the_fix_mends_it(kind: str) -> None:
    rows, read, fix = READS[kind]

    def use(queryset: QuerySet[Any]) -> None:
        for row in queryset.iterator() if kind == "iterator" else queryset:
            read(row)

    assert [found[2] for found in fixes(lambda: use(rows()))] == [fix]
    better = mended(rows(), fix)
    if kind not in ("existence", "values"):  # they send their queries whatever was fetched
        with CaptureQueriesContext(
            connection,
        ) as few:
            use(better)
        assert len(few) <= len(fix.split("__")) + 1 + ("through" in kind)
        assert fixes(lambda: use(mended(rows(), fix))) == []


def _no_alarm() -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "ids", lambda: [(book.author_id, book.publisher_id, book.sequel_to) for book in Book.objects.all()]
    yield "select_related", lambda: [book.author.name for book in Book.objects.select_related("author")]
    yield "prefetched", lambda: [list(book.labels.all()) for book in Book.objects.prefetch_related("labels")]
    yield "one object", lambda: Book.objects.get(title="Book 1").author.name
    yield "the first", lambda: [Book.objects.first().labels.count()]  # type: ignore[union-attr]
    yield "objects fetched one by one", lambda: [Book.objects.get(title=f"Book {n}").author for n in range(3)]
    yield "one of many", lambda: Book.objects.all()[1].author.name
    yield "one row, twice", lambda: [next(iter(Author.objects.all())).books.count() for _ in range(2)]
    yield "queries that are not sent", lambda: [book.labels.all().query for book in Book.objects.all()]
    yield "subqueries", lambda: [book.labels.all() for book in Book.objects.all()]
    yield "adding", lambda: [book.labels.add(Label.objects.get(slug="label-2")) for book in Book.objects.all()]
    yield "the parent of related rows", lambda: [book.author for book in Author.objects.all()[0].books.all()]
    yield "made here", lambda: [Book(title="x", author=Author.objects.all()[0]).author for _ in range(3)]
    yield (
        "prefetched with its own queryset",
        lambda: [
            book.author.name
            for author in Author.objects.prefetch_related(Prefetch("books", Book.objects.select_related("author")))
            for book in author.books.all()
        ],
    )


@pytest.mark.parametrize(("kind", "use"), list(_no_alarm()), ids=[kind for kind, _ in _no_alarm()])
def test_no_false_alarm(kind: str, use: Callable[[], Any]) -> None:
    assert fixes(use) == []


def test_rows_that_are_picked_need_a_prefetch_of_their_own() -> None:
    [(_, _, fix)] = fixes(lambda: [list(author.books.filter(title="Book 1")) for author in Author.objects.all()])
    assert fix.startswith('prefetch_related(Prefetch("books", queryset=…, to_attr="…"))')


def test_related_rows_of_one_object() -> None:
    author = Author.objects.get(name="Author 1")
    Book.objects.create(title="Second", price=1, author=author, publisher=Publisher.objects.create(code="P", number=7))
    Book.objects.create(title="Third", price=1, author=author, publisher=Publisher.objects.create(code="Q", number=8))
    found = fixes(lambda: [book.publisher for book in Author.objects.get(name="Author 1").books.all()])
    assert found == [("zoo.Book", "publisher", 'prefetch_related("books__publisher")')]


class CountrySerializer(serializers.ModelSerializer[Country]):
    class Meta:
        model = Country
        fields = ("name",)


class AuthorSerializer(serializers.ModelSerializer[Author]):
    born_in = CountrySerializer()

    class Meta:
        model = Author
        fields = ("name", "born_in")


class BookSerializer(serializers.ModelSerializer[Book]):
    country = serializers.CharField(source="author.born_in.name")
    writer = serializers.PrimaryKeyRelatedField(source="author", read_only=True)
    words = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = ("title", "writer", "country", "words")

    def get_words(self, book: Book) -> int:
        return len(book.labels.all())


class NestedSerializer(serializers.ModelSerializer[Book]):
    author = AuthorSerializer()

    class Meta:
        model = Book
        fields = ("author", "labels")


@pytest.mark.parametrize("rust", [False, True], ids=["drf", "rust"])
@pytest.mark.parametrize(
    ("serializer", "expected"),
    [
        (
            BookSerializer,
            {
                ("BookSerializer.country", "zoo.Book", "author", 'select_related("author")'),
                ("BookSerializer.country", "zoo.Author", "born_in", 'select_related("author__born_in")'),
                ("BookSerializer.words", "zoo.Book", "labels", 'prefetch_related("labels")'),
            },
        ),
        (
            NestedSerializer,
            {
                ("NestedSerializer.author", "zoo.Book", "author", 'select_related("author")'),
                ("AuthorSerializer.born_in", "zoo.Author", "born_in", 'select_related("author__born_in")'),
                ("NestedSerializer.labels", "zoo.Book", "labels", 'prefetch_related("labels")'),
            },
        ),
    ],
)
def test_a_serializer_and_its_field_are_named(serializer: Any, expected: Any, rust: bool) -> None:
    def represented() -> Any:
        return serializer(Book.objects.all(), many=True).data

    with warnings.catch_warnings(), detect_nplusone() as found:
        warnings.simplefilter("ignore", NPlusOneWarning)
        if rust:
            with installed():
                represented()
        else:
            represented()
    assert {(f.place, f.model, f.relation, f.fix) for f in found.findings} == expected
    assert all(finding.serializer and finding.field for finding in found.findings)


def test_the_line_is_named_where_there_is_no_serializer_and_only_once() -> None:
    with warnings.catch_warnings(record=True) as told, detect_nplusone():
        warnings.simplefilter("always")
        for _ in range(2):
            for book in Book.objects.all():
                str(book.author.name)
    [warning] = told
    text = str(warning.message)
    assert "test_detection.py:" in text
    assert text.endswith(
        'loads zoo.Book.author row by row (N+1 queries). Load it with the rows: Book.objects.select_related("author")'
    )


def test_it_raises_where_asked_to() -> None:
    with (
        detect_nplusone(raises=True),
        pytest.raises(NPlusOneError, match=r"BookSerializer\.\w+ loads zoo\.Book\.\w+ row by row"),
    ):
        BookSerializer(Book.objects.all(), many=True).data  # noqa: B018


def test_nothing_of_django_is_touched_while_nobody_watches() -> None:
    def hooked() -> list[Any]:
        return [vars(owner)[name] for owner, name, _ in (*hooks._HOOKS, *hooks._generic_hooks())]

    before = hooked()
    with detect_nplusone(), detect_nplusone():
        assert all(one is not other for one, other in zip(hooked(), before, strict=True))
    assert hooked() == before
    install(raises=True)
    with pytest.raises(NPlusOneError):
        [book.author.name for book in Book.objects.all()]
    uninstall()
    assert hooked() == before
