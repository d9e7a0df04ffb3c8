"""A change feed on a PostgreSQL that may be away; `tests/contract/test_feeds.py` makes its table and trigger."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

from plectrum import database_url

settings.configure(
    SECRET_KEY="contract",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": database_url.parse(os.environ["DATABASE_URL"])},
    LOGGING_CONFIG=None,
)
django.setup()

from django.db import models  # noqa: E402 - models need configured settings

from plectrum import API  # noqa: E402

api = API()


class Note(models.Model):
    text = models.TextField()
    status = models.CharField(max_length=20, default="draft")
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "contract"
        db_table = "note"


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


api.feed(Note, "/notes", filters=["status", "id"], fields=["id", "text", "status", "price"], history=5, heartbeat=0.5)


def migrate(*operations: Any) -> None:
    """Applies operations to the database, as `manage.py migrate` would."""
    from django.db import connection, migrations
    from django.db.migrations.state import ModelState, ProjectState

    migration = migrations.Migration("0001", "contract")
    fields = ModelState.from_model(Note).fields.items()
    migration.operations = [migrations.CreateModel("Note", fields, {"db_table": "note"}), *operations]
    with connection.schema_editor() as editor:
        migration.apply(ProjectState(), editor)


if __name__ == "__main__":
    from plectrum.migrations import AddFeed

    migrate(AddFeed("note"))
