"""Looks at everything, in the order of the report."""

from __future__ import annotations

import importlib.util
import sys

from django.apps import apps
from django.conf import settings as django_settings

from plectrum.errors import ConfigurationError, PlectrumError

from . import routes, settings
from .report import Issue, Report

__all__ = ["examine"]


def examine(app: str | None = None, *, measure: bool = False, rows: int = 200) -> Report:
    """Looks at a Django project, which has to be set up.

    Parameters:
        app: label of the only application whose serializers and views are looked at; all where ``None``.
        measure: try serializers and lists on the project's own rows, in a transaction that is rolled back.
        rows: rows to measure on, at most.

    Errors:
        ConfigurationError: there is no such application.
    """
    package = _package_of(app)
    _import_modules()
    report = Report()
    if "rest_framework" in sys.modules:
        from . import serializers, views  # DRF is not installed everywhere

        found = serializers.find(package)
        report.serializers = [serializers.describe(kind) for kind in found]
        report.views = views.examine(package, report.issues)
        if measure:
            from . import measure as measuring

            measuring.measure(report, found, package, rows)
    if app is None:
        try:
            report.routes = routes.examine(report.issues)
        except PlectrumError as error:
            report.issues.append(Issue("broken", "error", "Plectrum API", str(error)))
        report.issues += settings.examine()
    return report


def _package_of(label: str | None) -> str | None:
    if label is None:
        return None
    try:
        return apps.get_app_config(label).name
    except LookupError as error:
        raise ConfigurationError(f"--app: {error}") from error


def _import_modules() -> None:
    """What a request would import: the URLconf, and serializers where they usually are."""
    if getattr(django_settings, "ROOT_URLCONF", None):
        from django.urls import get_resolver

        _ = get_resolver().url_patterns
    for config in apps.get_app_configs():
        name = f"{config.name}.serializers"
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
