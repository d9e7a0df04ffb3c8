"""Settings that are unsafe in production, or cost speed for nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import Tags, run_checks
from django.db import connections

from plectrum import conf

from .report import Issue

__all__ = ["examine"]


def examine() -> list[Issue]:
    """Django's own deployment checks, and ours."""
    found = [_of_django(message) for message in run_checks(tags=[Tags.security], include_deployment_checks=True)]
    settings, problems = conf.read(getattr(django_settings, "PLECTRUM", None))
    found += [
        Issue("setting", "error" if problem.is_error else "warning", problem.id, problem.message, problem.hint)
        for problem in problems
    ]
    return [*found, *_ours(settings), *_of_databases(), *(_of_drf(settings) if "rest_framework" in sys.modules else ())]


def _of_django(message: Any) -> Issue:
    text, _, advice = str(message.msg).replace("\n", " ").partition(". ")
    return Issue("setting", "warning", str(message.id), text.rstrip(".") + ".", str(message.hint or advice))


def _ours(settings: conf.Settings) -> Iterator[Issue]:
    if settings.debug and not django_settings.DEBUG:
        yield Issue("setting", "error", "PLECTRUM['DEBUG']", "answers show tracebacks.", "Remove it: DEBUG decides.")
    if settings.nplusone != "off" and not django_settings.DEBUG:
        yield Issue(
            "setting", "warning", "PLECTRUM['NPLUSONE']", "every row that is loaded is followed, in production too.",
            'Set it to "off" outside of development and tests.',
        )  # fmt: skip


def _of_databases() -> Iterator[Issue]:
    for alias in connections:
        if connections.settings[alias].get("ATOMIC_REQUESTS"):
            yield Issue(
                "setting", "info", f"DATABASES[{alias!r}]['ATOMIC_REQUESTS']",
                "every query runs on Django's connection, none on Rust's.",
                "Use transaction.atomic() where several statements belong together.",
            )  # fmt: skip


def _of_drf(settings: conf.Settings) -> Iterator[Issue]:
    from rest_framework.permissions import AllowAny
    from rest_framework.settings import api_settings

    from plectrum.drf import RustJSONRenderer

    permissions: Any = api_settings.DEFAULT_PERMISSION_CLASSES
    if not permissions or AllowAny in permissions:
        yield Issue(
            "setting", "warning", "REST_FRAMEWORK['DEFAULT_PERMISSION_CLASSES']",
            "a view without permission_classes is open to everybody.",
            '["rest_framework.permissions.IsAuthenticated"]',
        )  # fmt: skip
    if not settings.drf:
        yield Issue(
            "setting", "info", "PLECTRUM['DRF']", "serializers without RustSerializerMixin stay in Python.",
            'PLECTRUM = {"DRF": True}',
        )  # fmt: skip
    renderers: Any = api_settings.DEFAULT_RENDERER_CLASSES
    if not any(issubclass(renderer, RustJSONRenderer) for renderer in renderers):
        yield Issue(
            "setting", "info", "REST_FRAMEWORK['DEFAULT_RENDERER_CLASSES']", "JSON is written in Python.",
            '["plectrum.drf.RustJSONRenderer"]',
        )  # fmt: skip
