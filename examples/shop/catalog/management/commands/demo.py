"""`manage.py demo`: migrate, seed, serve. What `make demo` runs once PostgreSQL is up."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

URLS = """
  Try, in another terminal:

    curl '{base}/api/articles?status=live&ordering=-views'      list, filter, order, page
    curl '{base}/api/articles?search=garden&price__lte=20'      search
    curl '{base}/api/articles/777'                              one article
    curl '{base}/api/articles/article-777/full'                 with author, tags and comments
    curl '{base}/api/authors/7/articles?page=2'                 articles of an author
    curl '{base}/api/articles/popular?country=jp'               a QuerySet made per request
    curl '{base}/api/comments' --json '{{"article_id": 777, "name": "Ada", "body": "Lovely."}}'
    curl '{base}/api/tokens' --json '{{"username": "ada", "password": "demo-demo"}}'   then, with its access_token:
    curl -X PUT '{base}/api/cart/777' --json '{{"quantity": 2}}' -H 'authorization: Bearer …'
    curl '{base}/api/orders' --json '{{"address": "1 Main Street"}}' -H 'authorization: Bearer …'

  In a browser:

    {base}/docs           every operation, to try   ·   {base}/redoc
    {base}/api/graphql    GraphQL   ·   {base}/live/    a subscription to what is on the shelf
    {base}/admin/         Django's admin: admin, demo-demo

"""


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
        self.stdout.write(URLS.format(base=f"http://127.0.0.1:{port}"))
        call_command("plectrum", "serve", f"--port={port}", *([f"--workers={workers}"] if workers else []))
