"""The dashboard's routes: the page, its numbers, and the plan of a statement it shows."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

from .. import _core
from .._core import Response
from ..conf import Settings
from ..errors import ConfigurationError, NotFound
from ..routing import Options, Route

__all__ = ["PATH", "dashboard_routes"]

#: Where it is.
PATH = "/_plectrum"

# Nothing from elsewhere is loaded, nothing of it may be framed.
_HEADERS = [
    ("Cache-Control", "no-store"),
    ("X-Frame-Options", "DENY"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:",
    ),
]


def dashboard_routes(settings: Settings) -> list[Route]:
    """The routes, for staff, or for everybody where ``DEBUG`` is set.

    Parameters:
        settings: what is set.

    Errors:
        ConfigurationError: nobody could be told to be staff.
    """
    if not settings.dashboard:
        return []
    access = _open() if settings.debug else _staff()
    handlers = (("/", page), ("/data", data), ("/plan", plan))
    return [
        Route(
            method="GET",
            path=PATH + path,
            handler=handler,
            options=Options(name=f"plectrum_{handler.__name__}", include_in_schema=False, throttle=None, **access),
        )
        for path, handler in handlers
    ]


def _open() -> dict[str, Any]:
    return {"auth": None, "guards": None}


def _staff() -> dict[str, Any]:
    from ..auth import Session
    from ..guards import IsStaff

    if "django" not in sys.modules or not _has_sessions():
        raise ConfigurationError(
            "DASHBOARD shows itself to staff, who log in with Django: list django.contrib.sessions and "
            "django.contrib.auth in INSTALLED_APPS, or switch DASHBOARD off where DEBUG is off."
        )
    return {"auth": Session(), "guards": IsStaff()}


def _has_sessions() -> bool:
    from django.apps import apps

    return apps.ready and apps.is_installed("django.contrib.sessions") and apps.is_installed("django.contrib.auth")


@functools.cache
def _page() -> bytes:
    return Path(__file__).with_name("page.html").read_bytes()


async def page() -> Response:
    """The page."""
    return Response(_page(), headers=[*_HEADERS, ("Content-Type", "text/html; charset=utf-8")])


async def data() -> Response:
    """The numbers of all workers of this server."""
    found = _core.snapshot() or "{}"
    return Response(found.encode(), headers=[*_HEADERS, ("Content-Type", "application/json")])


async def plan(at: str, number: int = 0) -> dict[str, str]:
    """How the database would run a slow statement that the page shows; no other statement is taken from outside.

    Parameters:
        at: the moment that names the note.
        number: of the statement in it.
    """
    notes = json.loads(_core.snapshot() or "{}").get("notes", [])
    found = next((note for note in notes if note.get("kind") == "slow" and note.get("at") == at), None)
    if found is None or not 0 <= number < len(found["sql"]):
        raise NotFound("The statement is not shown any more.")
    from asgiref.sync import sync_to_async

    from ..explain import plan_of

    return {"plan": await sync_to_async(plan_of)(found["sql"][number])}
