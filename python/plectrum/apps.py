"""Plectrum as a Django application: put ``"plectrum"`` into ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks as registry

from . import checks


class PlectrumConfig(AppConfig):
    """Registers the system checks; the ``plectrum`` management command comes with being installed."""

    name = "plectrum"
    verbose_name = "Plectrum"

    def ready(self) -> None:
        """Called by Django once all applications are loaded."""
        registry.register(checks.check_settings, "plectrum")
        registry.register(checks.check_api, "plectrum")
