"""What ``READY_PATH`` asks Django about: databases Rust does not speak to itself, and migrations."""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["aliases", "problems"]

# Once the databases have all migrations, only a new start of the process can know of more: not empty then.
_migrated: set[bool] = set()


def aliases() -> list[tuple[str, bool]]:
    """Every alias of ``DATABASES`` that is one, and whether Rust has connections of its own to it."""
    if not _django_is_ready():
        return []
    from django.db import connections

    from .bridge import database

    used = [alias for alias in connections if connections[alias].vendor != "unknown"]
    return [(alias, json.loads(database(alias))["engine"] != "django") for alias in used]


def problems(alias: str) -> str | None:
    """Why requests would fail.

    Parameters:
        alias: of the database to look at; the migrations of all where empty.

    Returns:
        A sentence for the log; ``None`` where all is well.
    """
    return _of_database(alias) if alias else _of_migrations()


def _of_database(alias: str) -> str | None:
    from django.db import connections

    connection = connections[alias]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever the driver raises
        if not connection.in_atomic_block:
            connection.close()
        return str(error)
    return None


def _of_migrations() -> str | None:
    if _migrated:
        return None
    from django.db import connections

    missing: list[str] = []
    for alias, _ in aliases():
        try:
            missing += _missing(connections[alias])
        except Exception as error:  # noqa: BLE001 - whatever the driver raises
            return str(error)
    if not missing:
        _migrated.add(True)
    return f"not applied: {', '.join(missing[:5])}" if missing else None


def _missing(connection: Any) -> list[str]:
    """Names of migrations that the database lacks. Source: ``manage.py migrate --check``."""
    from django.db import router
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    wanted = [migration for migration, backwards in plan if not backwards]
    here = [one for one in wanted if router.allow_migrate(connection.alias, one.app_label) is not False]
    return [f"{migration.app_label}.{migration.name}" for migration in here]


def _django_is_ready() -> bool:
    if "django" not in sys.modules:
        return False
    from django.apps import apps
    from django.conf import settings

    return apps.ready and bool(settings.DATABASES)
