"""The files of a new project, by path; ``$name`` is the project's name."""

from __future__ import annotations

__all__ = ["FILES"]

_MANAGE = """\
#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "$name.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""

_SETTINGS = '''\
"""Settings of $name. What may not be read by others comes from the environment in production."""

import os
from pathlib import Path

from plectrum import database_url

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG", "1") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY", "$secret" if DEBUG else "")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*" if DEBUG else "").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "plectrum",
    "notes",
]
# Around Django's own views, such as the admin; routes of the API ask for it with django_middleware=True.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "$name.urls"

# SQLite to begin with; DATABASE_URL=postgresql://user:password@host/name for PostgreSQL.
DATABASES = {"default": database_url.parse(os.environ.get("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"  # of `manage.py collectstatic`, which production wants

PLECTRUM = {
    "API": "$name.api.api",
}
'''

_API = '''\
"""The API: http://127.0.0.1:8000/docs shows it."""

from notes.models import Note

from plectrum import API

api = API(title="$name")

api.resource(
    Note,
    actions=["list", "retrieve", "create", "partial_update", "delete"],
    search=["title", "text"],
    ordering=["created_at"],
)


@api.get("/hello")
async def hello(name: str = "World") -> dict[str, str]:
    return {"message": f"Hello, {name}!"}


# What no route answers: the admin at /admin/, its files, and whatever else urls.py has.
api.mount_static()
api.mount_django()
'''

_MODELS = """\
from django.db import models


class Note(models.Model):
    title = models.CharField(max_length=100)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title
"""

_ADMIN = """\
from django.contrib import admin

from notes.models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "created_at"]
    search_fields = ["title", "text"]
"""

_URLS = '''\
"""Django's own views; the API does not pass through here."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
'''

_README = """\
# $name

    pip install "plectrum[django]"          # with [postgresql] for PostgreSQL
    python manage.py migrate
    python manage.py plectrum serve --reload

http://127.0.0.1:8000/docs shows the API, http://127.0.0.1:8000/admin/ the admin (`python manage.py createsuperuser`).

    python manage.py test                   # the tests
    python manage.py plectrum routes        # what answers where, and how
    python manage.py check --deploy         # before production
"""

_MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100)),
                ("text", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
"""

_TESTS = """\
from django.test import TestCase

from plectrum.testing import TestClient

from $name.api import api


class NotesTest(TestCase):
    def test_a_note_is_written_and_read(self) -> None:
        with TestClient(api) as client:
            made = client.post("/notes", json={"title": "Buy strings"})
            self.assertEqual(made.status_code, 201)
            self.assertEqual(client.get("/notes").json()["results"], [made.json()])
            self.assertEqual(client.post("/notes", json={"title": ""}).status_code, 422)
"""

FILES = {
    "manage.py": _MANAGE,
    "NAME/__init__.py": "",
    "NAME/settings.py": _SETTINGS,
    "NAME/urls.py": _URLS,
    "NAME/api.py": _API,
    "notes/__init__.py": "",
    "notes/admin.py": _ADMIN,
    "notes/models.py": _MODELS,
    "notes/migrations/__init__.py": "",
    "notes/migrations/0001_initial.py": _MIGRATION,
    "notes/tests.py": _TESTS,
    "README.md": _README,
    ".gitignore": "__pycache__/\n*.sqlite3*\n/static/\n",
}
