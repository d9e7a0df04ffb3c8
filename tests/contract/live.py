"""A graph with subscriptions, on a PostgreSQL whose rows `tests/contract/test_subscriptions.py` changes."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator
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
from plectrum.auth import APIKey  # noqa: E402
from plectrum.errors import Forbidden  # noqa: E402
from plectrum.graphql import GraphQL, Info, Live, Type  # noqa: E402
from plectrum.guards import IsAuthenticated  # noqa: E402

api = API()


class Owner(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "contract"
        db_table = "owner"


class Note(models.Model):
    text = models.TextField()
    status = models.CharField(max_length=20, default="draft")
    price = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    owner = models.ForeignKey(Owner, models.CASCADE, null=True)

    class Meta:
        app_label = "contract"
        db_table = "note"


#: What the generators of this worker have done.
seen: dict[str, Any] = {"begun": 0, "closed": 0, "made": 0}


@api.get("/seen")
async def show() -> dict[str, Any]:
    return {**seen, "pid": os.getpid()}


open_graph = GraphQL([Type(Note, changes=True), Owner], live=Live(init_timeout=1.0, operations=3, heartbeat=0.5))


@dataclasses.dataclass
class Tick:
    number: int
    note: Note | None = None


@open_graph.subscription
async def ticks(count: int = 3, every: float = 0.0, size: int = 0) -> AsyncIterator[Tick]:
    """Counts."""
    seen["begun"] += 1
    try:
        for number in range(count):
            await asyncio.sleep(every)
            seen["made"] += 1
            yield Tick(number)
    finally:
        seen["closed"] += 1


@open_graph.subscription
async def texts(size: int) -> AsyncIterator[str]:
    """As fast as they are taken, without an end."""
    seen["begun"] += 1
    try:
        while True:
            await asyncio.sleep(0)
            seen["made"] += 1
            yield "x" * size
    finally:
        seen["closed"] += 1


@open_graph.subscription
async def notes(ids: list[int]) -> AsyncIterator[Note]:
    for id in ids:
        yield Note(pk=id)


@open_graph.subscription
async def failing(how: str) -> AsyncIterator[int]:
    yield 1
    if how == "forbidden":
        raise Forbidden("Enough.")
    raise RuntimeError("a secret")


@open_graph.subscription
async def said(info: Info) -> AsyncIterator[str]:
    yield f"{info.params.get('name')} {info.request.path} {info.viewer.subject()}"


api.graphql("/graphql", open_graph)

closed_graph = GraphQL(
    [
        Type(
            Note,
            changes=True,
            rows=lambda notes, viewer: notes.filter(owner__name=viewer.subject()),
        ),
        Owner,
    ]
)


@closed_graph.subscription(allow=lambda viewer: viewer.subject() == "ada")
async def whoami(info: Info) -> AsyncIterator[str]:
    yield str(info.viewer.subject())


api.graphql(
    "/closed",
    closed_graph,
    auth=APIKey(keys={"ada": "key-of-ada-123456", "bob": "key-of-bob-123456"}),
    guards=IsAuthenticated(),
)


def migrate() -> None:
    """Makes the tables, and the trigger."""
    from django.db import connection, migrations
    from django.db.migrations.state import ModelState, ProjectState

    from plectrum.migrations import AddFeed

    migration = migrations.Migration("0001", "contract")
    made = [
        migrations.CreateModel(model.__name__, ModelState.from_model(model).fields.items(), {"db_table": table})
        for model, table in ((Owner, "owner"), (Note, "note"))
    ]
    migration.operations = [*made, AddFeed("note")]
    with connection.schema_editor() as editor:
        migration.apply(ProjectState(), editor)


if __name__ == "__main__":
    migrate()
