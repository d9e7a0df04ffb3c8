"""The same Django project for both."""

from __future__ import annotations

import os

SECRET_KEY = "bench" * 10
ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BENCH_DATABASE"]}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    *filter(None, os.environ.get("BENCH_APPS", "").split(",")),
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "bench.stack.urls"
USE_TZ = True
PLECTRUM = {"API": "bench.stack.ours:api"}
BOLT_API = ["bench.stack.bolt:api"]
# Neither writes a line per request.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {name: {"level": "WARNING", "propagate": True} for name in ("django.server", "django_bolt")},
}
