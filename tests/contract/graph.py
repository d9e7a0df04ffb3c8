"""A graph whose rows nobody asks for: what the audit of GraphQL over HTTP needs is the schema."""

from __future__ import annotations

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="contract",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.contenttypes"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "contract.sqlite3"}},
    LOGGING_CONFIG=None,
)
django.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402 - models need configured settings

from plectrum import API  # noqa: E402
from plectrum.graphql import GraphQL  # noqa: E402

api = API()
api.graphql("/graphql", GraphQL([ContentType], introspection=True))
