"""Settings of the test suite.

`default` is PostgreSQL (`DATABASE_URL`; where it is not set, `tests/conftest.py` starts a server and fills in its
address), `sqlite` a SQLite file. With PLECTRUM_TEST_ENGINE=sqlite `default` is SQLite too and no server is needed.
"""

import os
import tempfile
from pathlib import Path

from plectrum import database_url

ENGINE = os.environ.get("PLECTRUM_TEST_ENGINE", "postgresql")
# Shared with the processes started from here; `tests/conftest.py` makes and removes it.
FILES = Path(os.environ.setdefault("PLECTRUM_TEST_FILES", f"{tempfile.gettempdir()}/plectrum-tests-{os.getpid()}"))


def _sqlite(name: str) -> dict[str, object]:
    # A file, not memory: Rust opens it by its path, as it does in production.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    path = str(FILES / f"{name}-{worker}.sqlite3")
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "TEST": {"NAME": path}}


if ENGINE == "sqlite":
    _default = _sqlite("default")
else:
    _default = database_url.parse(os.environ.get("DATABASE_URL", "postgresql://postgres@/postgres"))

DATABASES = {"default": _default, "sqlite": _sqlite("sqlite")}

SECRET_KEY = "tests, with a secret long enough to sign tokens"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
MEDIA_URL = "/media/"
MEDIA_ROOT = FILES / "media"
STATIC_URL = "/static/"
ROOT_URLCONF = "tests.project.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "rest_framework",
    "plectrum",
    "catalog",
    "pictures",
    "stock",
    "accounts",
    "orders",
    "tests.project",
    "tests.zoo",
]
LOGIN_RATE = "10/min"  # of the shop
SILENCED_SYSTEM_CHECKS = ["fields.E210"]  # Pillow: no image is opened here
MIDDLEWARE: list[str] = []
REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
