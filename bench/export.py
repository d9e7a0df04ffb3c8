"""How much memory an export of many rows takes, and how fast it is: `python -m bench.export [ROWS]`.

Needs a release build (`make release` or the fast profile of `make dev`) for figures worth telling. Starts its own
PostgreSQL, fills a table with rows of the sample shop's articles, exports it in each format and by each connection.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
MIB = 1 << 20


def resident() -> int:
    """Bytes of this process in memory (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(pieces: Iterable[bytes]) -> tuple[int, int]:
    """Takes all pieces; how many bytes they were, and the most by which the process grew meanwhile."""
    before = most = resident()
    sent = 0
    for number, piece in enumerate(pieces):
        sent += len(piece)
        if number % 8 == 0:
            most = max(most, resident())
    return sent, max(most, resident()) - before


FILL = """
INSERT INTO catalog_article (uid, author_id, category_id, title, slug, body, status, price, rating, views, featured,
    details, cover, published_on, created_at, updated_at)
SELECT gen_random_uuid(), %s, NULL, 'Article ' || n, 'article-' || n, repeat('word ', 40), 'live', n %% 1000 / 10.0,
    n %% 50 / 10.0, n, n %% 2 = 0, '{"pages": 12}', '', '2026-01-01', now(), now()
FROM generate_series(1, %s) n
"""


def main(rows: int) -> None:
    """Prints a line per format and connection."""
    sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "shop")]
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    from tools import postgres

    with postgres.server(throw_away=True) as url:
        os.environ["DATABASE_URL"] = url
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        _fill(rows)
        _measure()


def _fill(rows: int) -> None:
    from catalog.models import Author
    from django.db import connection
    from django.utils import timezone

    author = Author.objects.create(name="A", email="a@example.org", joined_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(FILL, [author.pk, rows])
        cursor.execute("ANALYZE catalog_article")


def _measure() -> None:
    import contextlib

    from catalog.models import Article
    from django.db import transaction

    from plectrum.export import Format, serialize_stream

    formats: tuple[Format, ...] = ("json", "ndjson", "csv")
    for label, around in (("Rust", contextlib.nullcontext), ("Django", transaction.atomic)):
        for format in formats:
            with around():
                stream = serialize_stream(Article.objects.all(), format=format)
                started, cpu = time.perf_counter(), time.process_time()
                sent, grown = growth(stream)
                took, cpu = time.perf_counter() - started, time.process_time() - cpu
            print(
                f"{label:>6} {format:>6}: {stream.rows:,} rows, {sent / MIB:,.0f} MiB, grew by {grown / MIB:.1f} MiB, "
                f"{took:.1f} s ({cpu:.1f} s CPU), {stream.rows / took:,.0f} rows/s",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
