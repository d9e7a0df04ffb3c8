from __future__ import annotations

from collections.abc import Iterator

import pytest

from plectrum.graphql import GraphQL
from tests.differential.library import fill

from .support import MODELS, Asker


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--graphql-documents", type=int, default=500, help="documents that are executed by graphql-core as well"
    )


@pytest.fixture
def zoo(alias: str, transactional_db: None) -> Iterator[Asker]:
    """The zoo's models, filled, on one engine after the other. Combine with `django_db(databases="__all__")`."""
    fill(alias)
    asker = Asker(GraphQL(MODELS, using=alias, introspection=True), alias)
    yield asker
    asker.close()
