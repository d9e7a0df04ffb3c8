"""The endpoints that are compared: what every revision since the first has, on SQLite, which needs no server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import django
from django.conf import settings

_FILE = Path(tempfile.mkdtemp(prefix="plectrum-compare-")) / "rows.sqlite3"
settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_FILE)}},
)
django.setup()

from django.db import connection, models  # noqa: E402 - models need configured settings

from plectrum import API  # noqa: E402

api = API(openapi_url=None)


class Row(models.Model):
    name = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    made = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "compare"


with connection.schema_editor() as editor:
    editor.create_model(Row)
Row.objects.bulk_create(Row(name=f"row {number}", price=number) for number in range(100))
connection.close()


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/typed/{id}")
async def typed(id: int, q: str, page: int) -> dict[str, Any]:
    return {"id": id, "q": q, "page": page}


@api.query.get("/rows/{n}")
def rows(n: int) -> Any:
    return Row.objects.order_by("id")[:n]
