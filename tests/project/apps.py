from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.postgres.signals import get_citext_oids, get_hstore_oids
from django.db import connections
from django.db.models.signals import pre_migrate


class ProjectConfig(AppConfig):
    name = "tests.project"
    label = "project"

    def ready(self) -> None:
        pre_migrate.connect(_install_extensions, sender=self)


def _install_extensions(using: str, **_: Any) -> None:
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for extension in ("hstore", "citext"):
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        # psycopg learns hstore's type when it connects, and Django remembers what it learnt.
        get_hstore_oids.cache_clear()
        get_citext_oids.cache_clear()
        connection.close()
