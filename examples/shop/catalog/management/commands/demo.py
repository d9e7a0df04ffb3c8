"""`manage.py demo`: migrate, seed, serve. What `make demo` runs once PostgreSQL is up."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from catalog.models import Article

PAGES = """
  In a browser:

    {base}/docs           every operation, to try   ·   {base}/redoc
    {base}/api/graphql    GraphQL   ·   {base}/live/    a subscription to what is on the shelf
    {base}/admin/         Django's admin: admin, demo-demo

"""


def commands(api: str, article: Article) -> Iterator[tuple[str, str]]:
    """What to try from a terminal, and what it shows."""
    bearer = "-H 'authorization: Bearer …'"
    yield f"'{api}/articles?status=live&ordering=-views'", "list, filter, order, page"
    yield f"'{api}/articles?search=garden&price__lte=20'", "search"
    yield f"'{api}/articles/{article.pk}'", "one article"
    yield f"'{api}/articles/{article.slug}/full'", "with author, tags and comments"
    yield f"'{api}/authors/{article.author_id}/articles'", "articles of an author"
    yield f"'{api}/articles/popular?country=jp'", "a QuerySet made per request"
    yield f"""'{api}/comments' --json '{{"article_id": {article.pk}, "name": "Ada", "body": "Lovely."}}'""", ""
    yield f"""'{api}/tokens' --json '{{"username": "ada", "password": "demo-demo"}}'""", "then, with its access_token:"
    yield f"""-X PUT '{api}/cart/{article.pk}' --json '{{"quantity": 2}}' {bearer}""", ""
    yield f"""'{api}/orders' --json '{{"address": "1 Main Street"}}' {bearer}""", ""


class Command(BaseCommand):
    help = "Prepare the database and serve the shop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int)
        parser.add_argument("--articles", type=int, default=20_000)

    def handle(self, *, port: int, workers: int | None, articles: int, **options: Any) -> None:
        self.stdout.write(f"Preparing the {connection.vendor} database")
        call_command("migrate", verbosity=0)
        call_command("seed", articles=articles)
        call_command("stocktake")
        call_command("people")
        self._invite(f"http://127.0.0.1:{port}")
        call_command("plectrum", "serve", f"--port={port}", *([f"--workers={workers}"] if workers else []))

    def _invite(self, base: str) -> None:
        article = Article.objects.filter(status=Article.Status.LIVE)[0]
        self.stdout.write("\n  Try, in another terminal:\n\n")
        for command, shows in commands(f"{base}/api", article):
            self.stdout.write(f"    curl {command:<62}  {shows}".rstrip())
        self.stdout.write(PAGES.format(base=base))
