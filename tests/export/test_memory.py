"""Memory does not grow with the rows. `python -m bench.export` does it with a million."""

from __future__ import annotations

from typing import Any

import pytest
from catalog.models import Author
from django.db import connection, transaction

from bench.export import growth
from plectrum.export import serialize_stream

ROWS = 120_000
MIB = 1 << 20
# A third of what is sent. The allocator takes 8 MiB at once when a thread of its own begins.
ALLOWED = 10 * MIB


@pytest.fixture
def authors(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_author (name, email, bio, country, website, portrait, joined_at, is_active) SELECT"
            " 'author ' || n, n || '@example.org', repeat('life ', 40), 'fr', '', '', now(), true"
            f" FROM generate_series(1, {ROWS}) n"
        )


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("authors")
@pytest.mark.parametrize("format", ["json", "csv"])
def test_a_long_export_takes_no_more_memory_than_a_short_one(format: Any) -> None:
    rows = Author.objects.all()
    for _ in serialize_stream(rows[: ROWS // 10], format=format):
        pass  # what the first export takes, whatever its length
    stream = serialize_stream(rows, format=format)
    sent, grown = growth(stream)
    assert stream.rows == ROWS
    assert sent > 30 * MIB
    assert grown < ALLOWED


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("authors")
@pytest.mark.parametrize("format", ["json", "csv"])
def test_nor_does_one_inside_a_transaction(format: Any) -> None:
    with transaction.atomic():
        for _ in serialize_stream(Author.objects.all()[: ROWS // 10], format=format):
            pass
        sent, grown = growth(serialize_stream(Author.objects.all(), format=format))
    assert sent > 30 * MIB
    assert grown < ALLOWED
