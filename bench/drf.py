"""DRF's serializers beside the same with `plectrum.drf`: one process, the same rows, interleaved, median of 9.

Run as `python -m bench.drf`, or `python -m tools.postgres --throw-away -- python -m bench.drf` for querysets on
PostgreSQL, too: what its server does is not in the times. Every answer is compared before it is timed; times are CPU
time of the process. Where `clarax-django` is installed, its mixin stands in the same rows; its answers are compared as
well, and marked where they are not DRF's.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import platform
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import django
from django.conf import settings

from plectrum import database_url

DATABASES: dict[str, Any] = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
if "DATABASE_URL" in os.environ:
    DATABASES["postgres"] = database_url.parse(os.environ["DATABASE_URL"])
NAMES = {"default": "SQLite", "postgres": "PostgreSQL"}
settings.configure(INSTALLED_APPS=["rest_framework"], USE_TZ=True, TIME_ZONE="UTC", DATABASES=DATABASES)
django.setup()

from django.db import connections, models  # noqa: E402 - models need settings
from rest_framework import VERSION, serializers  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402

from plectrum.drf import RustJSONRenderer, RustSerializerMixin, to_json  # noqa: E402

try:
    from django_clarax.serializers import RustSerializerMixin as ClaraxMixin
except ImportError:
    ClaraxMixin = None

ROUNDS = 9
TIMES = "\N{MULTIPLICATION SIGN}"
WORDS = ["lorem", "ipsum", "dolor", "sit", "naïve", "“quoted”", "consectetur\nadipiscing", "elit", "日本", "eiusmod"]


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()

    class Meta:
        app_label = "shop"


class Article(models.Model):
    """A record like those real projects list: 15 columns of mixed types, one FK."""

    uid = models.UUIDField(default=uuid.uuid4)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200)
    body = models.TextField()
    status = models.CharField(max_length=20)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    rating = models.FloatField(null=True)
    views = models.PositiveIntegerField()
    published = models.BooleanField()
    tags = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    published_on = models.DateField(null=True)

    class Meta:
        app_label = "shop"


class AuthorOut(serializers.ModelSerializer[Author]):
    class Meta:
        model = Author
        fields = ("id", "name", "email")


class ArticleOut(serializers.ModelSerializer[Article]):
    class Meta:
        model = Article
        fields = "__all__"


class NestedOut(ArticleOut):
    author = AuthorOut()


class ArticleIn(serializers.Serializer[Any]):
    """The article as it comes in, without a question to the database."""

    uid = serializers.UUIDField()
    author = serializers.IntegerField(min_value=1)
    email = serializers.EmailField()
    title = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=200)
    body = serializers.CharField()
    status = serializers.ChoiceField([("draft", "Draft"), ("live", "Live")])
    price = serializers.DecimalField(max_digits=10, decimal_places=2)
    rating = serializers.FloatField(allow_null=True)
    views = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    published = serializers.BooleanField()
    tags = serializers.JSONField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    published_on = serializers.DateField(allow_null=True)


def _with(mixin: Any, kind: Any) -> Any:
    return None if mixin is None else type(kind.__name__, (mixin, kind), {"__module__": __name__})


# Each serializer: DRF's, ours, theirs.
ARTICLE, NESTED, INPUT = (
    (kind, _with(RustSerializerMixin, kind), _with(ClaraxMixin, kind)) for kind in (ArticleOut, NestedOut, ArticleIn)
)


def _words(count: int) -> str:
    return " ".join(random.choice(WORDS) for _ in range(count))


def _articles(count: int) -> Iterator[Article]:
    random.seed(1)
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    authors = [Author(id=key, name=_words(2), email=f"a{key}@example.com") for key in range(1, 201)]
    for key in range(1, count + 1):
        yield Article(
            id=key,
            author=random.choice(authors),
            title=_words(6)[:200],
            slug=f"s-{key}",
            body=_words(40),
            status=random.choice(["draft", "live"]),
            price=Decimal(f"{random.random() * 1000:.2f}"),
            rating=random.choice([None, random.random() * 5]),
            views=random.randint(0, 10**6),
            published=bool(key % 3),
            tags=[_words(1) for _ in range(3)],
            created_at=start + dt.timedelta(seconds=key, microseconds=key * 37),
            updated_at=start + dt.timedelta(days=1, seconds=key),
            published_on=random.choice([None, dt.date(2026, 2, 3)]),
        )


def _once(work: Callable[[], Any], repeat: int) -> float:
    gc.collect()
    start = time.process_time()
    for _ in range(repeat):
        work()
    return (time.process_time() - start) / repeat * 1e6


def _compare(name: str, rows: list[Any], works: list[Callable[[], Any] | None]) -> None:
    """A row of the table: DRF's work, ours, and perhaps another's."""
    plain, rust, *others = [work for work in works if work is not None]
    expected = plain()
    assert expected == rust()
    same = [_same(expected, other) for other in others]
    repeat = max(1, 300 // len(rows))
    rounds = [[_once(work, repeat) for work in (plain, rust, *others)] for _ in range(ROUNDS)]
    before, after, *their = (statistics.median(times) for times in zip(*rounds, strict=True))
    cells = [f"{before:,.0f}", f"{after:,.0f}", f"{before / after:.1f}{TIMES}"]
    for times, equal in zip(their, same, strict=True):
        cells.append(f"{before / times:.1f}{TIMES}" + ("" if equal else ", other answer"))
    print(f"| {name} | {len(rows):,} | {' | '.join(cells)} |" + ("" if others else " |"), flush=True)


def _same(expected: Any, other: Callable[[], Any]) -> bool:
    try:
        return bool(expected == other())
    except Exception:  # noqa: BLE001 - whatever it raises is another answer
        return False


def _data(kinds: tuple[Any, ...], rows: Any) -> list[Callable[[], Any] | None]:
    return [kind and (lambda kind=kind: kind(rows, many=True).data) for kind in kinds]


def _rendered(kinds: tuple[Any, ...], rows: Callable[[], Any]) -> list[Callable[[], Any] | None]:
    plain, rust, other = kinds
    render = JSONRenderer().render
    theirs = other and (lambda: render(other(rows(), many=True).data))
    return [lambda: render(plain(rows(), many=True).data), lambda: to_json(rust(rows(), many=True)), theirs]


def _validated(kinds: tuple[Any, ...], records: list[Any]) -> list[Callable[[], Any] | None]:
    def run(kind: Any) -> Any:
        made = kind(data=records, many=True)
        return made.is_valid(), made.validated_data

    return [kind and partial(run, kind) for kind in kinds]


def _single(kinds: tuple[Any, ...], work: Callable[[Any], Any]) -> list[Callable[[], Any] | None]:
    return [kind and partial(work, kind) for kind in kinds]


def _stored(rows: list[Article], alias: str) -> Any:
    with connections[alias].schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Article)
    Author.objects.using(alias).bulk_create({row.author_id: row.author for row in rows}.values())
    Article.objects.using(alias).bulk_create(rows)
    return Article.objects.using(alias).order_by("id")


def _compare_querysets(stored: dict[str, Any], rows: list[Article]) -> None:
    for alias, articles in stored.items():
        works = _rendered(ARTICLE, lambda articles=articles: articles.all()[: len(rows)])
        _compare(f"queryset to JSON, {NAMES[alias]}", rows, works)
        works = _rendered(NESTED, lambda articles=articles: articles.select_related("author")[: len(rows)])
        _compare(f"queryset to JSON, nested FK, {NAMES[alias]}", rows, works)


def _record(row: Article) -> dict[str, Any]:
    return {**json.loads(JSONRenderer().render(ArticleOut(row).data)), "email": f"a{row.id}@example.com"}


def main() -> None:
    print(f"Python {platform.python_version()}, Django {django.__version__}, DRF {VERSION}\n")
    print("| work | rows | DRF, µs | Plectrum, µs | ratio | clarax-django |\n|---|--:|--:|--:|--:|--:|")
    everything = list(_articles(1000))
    records = json.loads(json.dumps([_record(row) for row in everything]))  # of one document, as a request's are
    stored = {alias: _stored(list(_articles(1000)), alias) for alias in DATABASES}
    drf, rust = JSONRenderer(), RustJSONRenderer()
    for count in (100, 1000):
        rows = everything[:count]
        _compare("`.data`", rows, _data(ARTICLE, rows))
        _compare("`.data`, nested FK", rows, _data(NESTED, rows))
        data = ArticleOut(rows, many=True).data
        _compare("rendering of `.data`", rows, [partial(drf.render, data), partial(rust.render, data)])
        _compare("instances to JSON (`to_json`)", rows, _rendered(ARTICLE, lambda rows=rows: rows))
        _compare_querysets(stored, rows)
        _compare("`is_valid`", rows, _validated(INPUT, records[:count]))
    one = everything[:1]
    _compare("`.data` of one object", one, _single(ARTICLE, lambda kind: kind(one[0]).data))
    _compare("`is_valid` of one record", one, _single(INPUT, lambda kind: kind(data=records[0]).is_valid()))
    _compare("the fields alone", one, _single(ARTICLE, lambda kind: list(kind().fields)))


if __name__ == "__main__":
    main()
