"""Tracing helpers and a small shop of rows."""

from __future__ import annotations

import datetime as dt
import typing
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from catalog.models import Article, Author, Category, Comment, Tag

from plectrum.orm import Operation, Param, trace


def params_of(function: Callable[..., Any]) -> list[Param]:
    """The function's annotated arguments as parameters."""
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    return [Param(name, hint, "query", index) for index, (name, hint) in enumerate(hints.items())]


def traced(function: Callable[..., Any], **options: Any) -> Operation:
    """The plan of a function whose arguments are annotated."""
    return trace(function, params_of(function), **options)


@pytest.fixture
def shop(alias: str) -> str:
    """Authors, articles, tags and comments in the database of this run; gives its alias."""
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    authors = [
        Author.objects.using(alias).create(name=name, email=f"{index}@example.org", joined_at=moment, country="fr")
        for index, name in enumerate(["Anaïs", "Bob %_\\ 'x'", "日本"])
    ]
    root = Category.objects.using(alias).create(name="Root", slug="root")
    leaf = Category.objects.using(alias).create(name="Leaf", slug="leaf", parent=root)
    tags = [Tag.objects.using(alias).create(name=name, slug=name) for name in ("zeta", "alpha", "mid")]
    for index in range(12):
        article = Article.objects.using(alias).create(
            author=authors[index % 3],
            category=(None, root, leaf)[index % 3],
            title=f"Article {index} 100%_{'x' * index}",
            slug=f"article-{index}",
            body="…",
            status=("live", "draft")[index % 2],
            price=Decimal(index) + Decimal("0.50"),
            rating=None if index % 4 == 0 else index / 2,
            views=index * 10,
            details={"n": index, "name": f"n{index}"},
            cover="covers/a b.png" if index % 2 else "",
            reading_time=dt.timedelta(days=index, microseconds=index),
            published_on=dt.date(2026, 1, 1 + index) if index % 3 else None,
            created_at=moment + dt.timedelta(days=index),
            updated_at=moment,
        )
        article.tags.set(tags[: index % 4])
        for stars in range(index % 3):
            Comment.objects.using(alias).create(
                article=article, name=f"c{stars}", body="!", stars=stars or None, created_at=moment
            )
    return alias
