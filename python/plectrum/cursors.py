"""What cursors of lists are signed with."""

from __future__ import annotations

import hashlib

from . import conf
from .errors import ConfigurationError

__all__ = ["secret"]


def secret() -> bytes:
    """The key: Django's ``SECRET_KEY``, or else that of the settings, alike in every worker and on every host.

    Errors:
        ConfigurationError: there is none.
    """
    import sys

    key = conf.current().secret_key
    if "django" in sys.modules:
        from django.conf import settings

        if settings.configured and settings.SECRET_KEY:
            key = settings.SECRET_KEY
    if not key:
        raise ConfigurationError("Cursor pages are signed and need a key: set SECRET_KEY.")
    return hashlib.sha256(f"plectrum.cursors:{key}".encode()).digest()
