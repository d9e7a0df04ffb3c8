"""`manage.py stocktake`: give every article that has none a level."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from catalog.models import Article
from django.core.management.base import BaseCommand

from stock.models import Level


class Command(BaseCommand):
    help = "Put printed copies of every article on the shelf that has none there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--each", type=int, default=50, help="copies of each (default: %(default)s)")

    def handle(self, *, each: int, **options: Any) -> None:
        missing = Article.objects.filter(stock=None).order_by("pk").values_list("pk", flat=True)
        Level.objects.bulk_create((Level(article_id=pk, available=each) for pk in missing), batch_size=1000)
