"""Signed cookies: Django's own where Django is set up, an HMAC of ours otherwise."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import sys
import time
from datetime import timedelta

from . import conf
from .errors import ConfigurationError

__all__ = ["sign_cookie", "unsign_cookie"]

_SALT = "plectrum.cookies"


def sign_cookie(name: str, value: str, salt: str = "") -> str:
    """A cookie's value with the time and a signature.

    Parameters:
        name: the cookie's; a value signed for one cookie is none for another.
        value: text to be signed; it can be read by the client.
        salt: tells uses of one name apart.

    Errors:
        ConfigurationError: there is no key to sign with.

    Source: ``django.http.HttpResponse.set_signed_cookie``, with whose cookies these can be exchanged.
    """
    if _django_has_key():
        from django.http import HttpResponse

        # Which salt Django makes of name and salt is its own affair, and changes.
        response = HttpResponse()
        response.set_signed_cookie(name, value, salt=salt)
        return response.cookies[name].value
    text = f"{value}:{int(time.time())}"
    return f"{text}:{_signature(name + salt, text)}"


def unsign_cookie(name: str, signed: str, salt: str = "", max_age: int | timedelta | None = None) -> str | None:
    """The value that was signed.

    Parameters:
        name, salt: as it was signed with.
        signed: what the client sent.
        max_age: seconds since it was signed, at most.

    Returns:
        ``None`` where it was changed, signed with another key, or too long ago.
    """
    if _django_has_key():
        from django.http import HttpRequest

        request = HttpRequest()
        request.COOKIES = {name: signed}
        return request.get_signed_cookie(name, default=None, salt=salt, max_age=max_age)
    text, _, signature = signed.rpartition(":")
    value, _, signed_at = text.rpartition(":")
    if not hmac.compare_digest(signature.encode(), _signature(name + salt, text).encode()):
        return None
    limit = max_age.total_seconds() if isinstance(max_age, timedelta) else math.inf if max_age is None else max_age
    return value if time.time() - int(signed_at) <= limit else None


def _signature(salt: str, text: str) -> str:
    key = conf.current().secret_key
    if not key:
        raise ConfigurationError(
            "Cookies cannot be signed without a key. Set PLECTRUM_SECRET_KEY to a long random text, the same for all "
            "workers and hosts: python -c 'import secrets; print(secrets.token_urlsafe(50))'."
        )
    derived = hashlib.sha256(f"{_SALT}{salt}signer{key}".encode()).digest()
    digest = hmac.new(derived, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _django_has_key() -> bool:
    django = sys.modules.get("django.conf")
    return django is not None and django.settings.configured
