"""Django's system checks for Plectrum: what would fail at start-up, told by ``manage.py check`` as well.

Ids are stable: ``E001`` unknown setting, ``E002`` wrong type, ``E003`` out of bounds, ``E004`` not a dict, ``W001``
unknown environment variable, ``E010`` the API object cannot be found or compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from . import conf, discovery
from .errors import PlectrumError

__all__ = ["check_api", "check_settings"]


def check_settings(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Every key of ``PLECTRUM`` and every ``PLECTRUM_*`` variable is known and well-typed."""
    _, problems = conf.read(getattr(django_settings, "PLECTRUM", None), locate=conf.line_in_settings)
    return [
        (Error if problem.is_error else Warning)(problem.message, hint=problem.hint, id=problem.id)
        for problem in problems
    ]


def check_api(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """The API object, where ``PLECTRUM["API"]`` names one, can be imported and compiles."""
    settings, _ = conf.read(getattr(django_settings, "PLECTRUM", None))
    if settings.api is None:
        return []
    try:
        discovery.find(settings.api).compile()
    except PlectrumError as error:
        return [Error(str(error), id="plectrum.E010")]
    return []
