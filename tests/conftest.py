"""One PostgreSQL for the whole run, shared by all xdist workers; each worker has databases of its own in it."""

from __future__ import annotations

import contextlib
import os
import shutil

import pytest

from plectrum import database_url
from tests.project import settings
from tools import postgres

_resources = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # an xdist worker: its environment comes from the controller
    os.environ.setdefault("PLECTRUM_PROCESSES", "64")  # the tests tell workers apart by their process ids
    settings.FILES.mkdir(exist_ok=True)
    if settings.ENGINE == "postgresql" and "DATABASE_URL" not in os.environ:
        url = os.environ["DATABASE_URL"] = _resources.enter_context(postgres.server(throw_away=True))
        settings.DATABASES["default"].update(database_url.parse(url))
    if "DATABASE_URL" in os.environ:
        os.environ.setdefault("PLECTRUM_TEST_PG", os.environ["DATABASE_URL"])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _resources.close()
        shutil.rmtree(settings.FILES, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The SQLite run repeats only what a change of the default engine can change."""
    if settings.ENGINE == "sqlite":
        kept = [
            item for item in items if item.get_closest_marker("django_db") and not item.get_closest_marker("postgresql")
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture(params=["default", "sqlite"])
def alias(request: pytest.FixtureRequest) -> str:
    """A database alias: the test runs once per engine. Combine with `@pytest.mark.django_db(databases="__all__")`."""
    return str(request.param)
