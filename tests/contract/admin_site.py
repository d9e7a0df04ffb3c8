"""A project with the admin, a model with a file, and static files that are compressed already."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

FILES = Path(os.environ.get("ADMIN_FILES") or tempfile.mkdtemp())

settings.configure(
    SECRET_KEY="tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="tests.contract.admin_site",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILES / "site.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "tests.contract.documents",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
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
    ],
    STATIC_URL="/static/",
    STATIC_ROOT=FILES / "static",
    MEDIA_URL="/media/",
    MEDIA_ROOT=FILES / "media",
    USE_TZ=True,
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.urls import path  # noqa: E402

from plectrum import API  # noqa: E402

if __name__ == "__main__":  # once, before it is served
    call_command("migrate", run_syncdb=True, verbosity=0)
    User.objects.create_superuser("ada", "ada@shop.test", "secret")
    call_command("collectstatic", interactive=False, verbosity=0)
    for file in (FILES / "static").rglob("*.css"):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 9))

urlpatterns = [path("admin/", admin.site.urls)]

api = API(prefix="/api")
api.mount_static()
api.mount_django()
