from __future__ import annotations

import pytest
from catalog import seeding
from catalog.models import Article, Author, Category, Tag

ARTICLES = 25


@pytest.fixture
def shop(transactional_db: None) -> None:
    """A few articles, committed: Rust's connection sees them."""
    authors = Author.objects.bulk_create(seeding.author(number) for number in range(1, 5))
    category = Category.objects.create(name="All", slug="all")
    tags = Tag.objects.bulk_create(seeding.tags())
    articles = Article.objects.bulk_create(
        seeding.article(number, [author.pk for author in authors], [category.pk]) for number in range(1, ARTICLES + 1)
    )
    for number, article in enumerate(articles):
        article.tags.set(tags[: number % 3])
