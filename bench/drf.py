"""DRF's serializers beside the same with `plectrum.drf`: one process, the same rows, interleaved, median of 9.

Run as `python -m bench.drf`. Every answer is compared before it is timed; times are CPU time of the process.
"""

from __future__ import annotations

import datetime as dt
import gc
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

settings.configure(INSTALLED_APPS=["rest_framework"], USE_TZ=True, TIME_ZONE="UTC")
django.setup()

from django.db import models  # noqa: E402 - models need settings
from rest_framework import VERSION, serializers  # noqa: E402
from rest_framework.renderers import JSONRenderer  # noqa: E402

from plectrum.drf import RustJSONRenderer, RustSerializerMixin, to_json  # noqa: E402

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


class RustArticleOut(RustSerializerMixin, ArticleOut):
    pass


class RustNestedOut(RustSerializerMixin, NestedOut):
    pass


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


def _compare(name: str, rows: list[Article], plain: Callable[[], Any], rust: Callable[[], Any]) -> None:
    assert plain() == rust()
    repeat = max(1, 300 // len(rows))
    pairs = [(_once(plain, repeat), _once(rust, repeat)) for _ in range(ROUNDS)]
    before, after = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"| {name} | {len(rows):,} | {before:,.0f} | {after:,.0f} | {before / after:.1f}{TIMES} |", flush=True)


def main() -> None:
    print(f"Python {platform.python_version()}, Django {django.__version__}, DRF {VERSION}\n")
    print("| work | rows | DRF, µs | Plectrum, µs | ratio |\n|---|--:|--:|--:|--:|")
    everything = list(_articles(1000))
    drf, rust = JSONRenderer(), RustJSONRenderer()
    for count in (100, 1000):
        rows = everything[:count]

        def plain(kind: Any = ArticleOut, rows: list[Article] = rows) -> Any:
            return kind(rows, many=True)

        _compare("`.data`", rows, lambda: plain().data, lambda: plain(RustArticleOut).data)
        _compare("`.data`, nested FK", rows, lambda: plain(NestedOut).data, lambda: plain(RustNestedOut).data)
        data = plain().data
        _compare("rendering of `.data`", rows, partial(drf.render, data), partial(rust.render, data))
        _compare("both", rows, lambda: drf.render(plain().data), lambda: rust.render(plain(RustArticleOut).data))
        _compare("`to_json`", rows, lambda: drf.render(plain().data), lambda: to_json(plain(RustArticleOut)))
    one = everything[:1]
    _compare("`.data` of one object", one, lambda: ArticleOut(one[0]).data, lambda: RustArticleOut(one[0]).data)
    made, fast = ArticleOut(), RustArticleOut()
    _compare(
        "`to_representation` again", one, lambda: made.to_representation(one[0]), lambda: fast.to_representation(one[0])
    )
    _compare("the fields alone", one, lambda: len(ArticleOut().fields), lambda: len(RustArticleOut().fields))


if __name__ == "__main__":
    main()
