"""`manage.py seed`: fill the shop."""

from __future__ import annotations

import itertools
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from catalog import seeding
from catalog.models import Article, Author, Category, Comment, Tag
from catalog.progress import track

BATCH = 1000


class Command(BaseCommand):
    help = (
        "Fill the shop with authors, categories, tags, articles and comments. Does nothing where that is done already."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--articles", type=int, default=20_000, help="how many (default: %(default)s)")

    @transaction.atomic
    def handle(self, *, articles: int, verbosity: int, **options: Any) -> None:
        present = Article.objects.count()
        if present >= articles:
            if verbosity:
                self.stdout.write(f"The shop has {present:,} articles already.")
            return
        self.stdout.ending = ""  # the progress bar ends its own lines
        self.fill(articles, present)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def fill(self, articles: int, present: int) -> None:
        """Add articles `present + 1` to `articles`, and what they need."""
        authors = self.authors()
        leaves = self.leaves()
        Tag.objects.bulk_create(seeding.tags(), ignore_conflicts=True)
        tags = list(Tag.objects.order_by("name").values_list("pk", flat=True))
        numbers = iter(range(present + 1, articles + 1))
        batches = iter(lambda: list(itertools.islice(numbers, BATCH)), [])
        for batch in track(batches, "articles", articles - present, self.stdout, BATCH):
            made = Article.objects.bulk_create(seeding.article(number, authors, leaves) for number in batch)
            keys = [(number, article.pk) for number, article in zip(batch, made, strict=True)]
            Comment.objects.bulk_create(comment for number, pk in keys for comment in seeding.comments(number, pk))
            Article.tags.through.objects.bulk_create(self.tagged(keys, tags))

    def authors(self) -> list[int]:
        """Primary keys of all authors, made where missing."""
        if not Author.objects.exists():
            Author.objects.bulk_create(seeding.author(number) for number in range(1, seeding.AUTHORS + 1))
        return list(Author.objects.order_by("pk").values_list("pk", flat=True))

    def leaves(self) -> list[int]:
        """Primary keys of the categories that have none below, made where missing."""
        if not Category.objects.exists():
            for section, inner in seeding.categories():
                section.save()
                for category in inner:
                    category.parent = section
                    category.save()
        return list(Category.objects.filter(children=None).order_by("pk").values_list("pk", flat=True))

    def tagged(self, keys: list[tuple[int, int]], tags: list[int]) -> Iterator[Any]:
        """Rows of the table between articles and tags."""
        through = Article.tags.through
        for number, article in keys:
            for tag in seeding.tags_of(number, tags):
                yield through(article_id=article, tag_id=tag)
