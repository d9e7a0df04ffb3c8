"""Plectrum as a Django application: put ``"plectrum"`` into ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core import checks as registry

from . import checks, conf, deployment


class PlectrumConfig(AppConfig):
    """Registers the system checks and applies ``PLECTRUM["DRF"]``; the command comes with being installed."""

    name = "plectrum"
    verbose_name = "Plectrum"

    def ready(self) -> None:
        """Called by Django once all applications are loaded."""
        registry.register(checks.check_settings, "plectrum")
        registry.register(checks.check_api, "plectrum")
        registry.register(deployment.check_deployment, "plectrum", deploy=True)
        settings, _ = conf.read(getattr(django_settings, "PLECTRUM", None))
        if settings.nplusone != "off":
            from . import nplusone

            nplusone.install(raises=settings.nplusone == "raise")
        if settings.prewarm:
            from . import prewarm

            prewarm.at_start()
        if settings.drf:
            from . import drf  # DRF is not installed everywhere

            drf.install()
