"""Fixtures for pytest: ``plectrum_api``, ``plectrum_client`` and ``plectrum_async_client``.

Override ``plectrum_api`` to say which API is tested where the settings do not name one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .api import API
    from .testing import AsyncTestClient, TestClient

__all__ = ["plectrum_api", "plectrum_async_client", "plectrum_client"]


@pytest.fixture(scope="session")
def plectrum_api() -> API:
    """The API of the Django project, or the one that ``PLECTRUM_API`` names."""
    from . import conf, discovery

    name = conf.current().api
    return discovery.find(name) if name else discovery.find_in_django(None)


@pytest.fixture
def plectrum_client(plectrum_api: API) -> Iterator[TestClient]:
    """A client of ``plectrum_api``. Ask for pytest-django's ``db`` beside it where handlers use the database."""
    from .testing import TestClient

    with TestClient(plectrum_api) as client:
        yield client


@pytest.fixture
async def plectrum_async_client(plectrum_api: API) -> AsyncIterator[AsyncTestClient]:
    """A client for ``async def`` tests."""
    from .testing import AsyncTestClient

    async with AsyncTestClient(plectrum_api) as client:
        yield client
