"""Names of routes in Django's URLconf, and Django's names for an API: ``reverse()`` across both."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from .routing import Route

__all__ = ["django_urls", "djangos_path"]

_BRACES = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([a-z]+))?\}")
#: Converters that Django has as well; every other value is written as text.
_CONVERTERS = {"int": "int", "uuid": "uuid", "path": "path", "slug": "slug"}


def django_urls(routes: Iterable[Route]) -> list[Any]:
    """URL patterns with the names and paths of ``routes``.

    Errors:
        ConfigurationError: Django is not installed.
    """
    try:
        from django.urls import path
    except ImportError:
        raise ConfigurationError("api.urls is for Django's URLconf, and Django is not installed.") from None
    known = dict.fromkeys((route.name, route.path) for route in routes if not route.mounted)
    return [path(_pattern(place), _answered_by_plectrum, name=name) for name, place in known]


def _pattern(path: str) -> str:
    def converted(match: re.Match[str]) -> str:
        return f"<{_CONVERTERS.get(match[2] or 'str', 'str')}:{match[1]}>"

    return _BRACES.sub(converted, path).lstrip("/")


def _answered_by_plectrum(request: HttpRequest, **values: Any) -> Any:
    """Reached only under another server than Plectrum's."""
    from django.http import HttpResponse

    text = f"{request.path} is answered by Plectrum. Start the project with: manage.py plectrum serve"
    return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8")


def djangos_path(name: str, values: Mapping[str, Any]) -> str | None:
    """The path of a view of Django's; ``None`` where there is none of that name, or no Django."""
    if "django" not in sys.modules:
        return None
    from django.apps import apps
    from django.urls import NoReverseMatch, reverse

    if not apps.ready:
        return None
    try:
        return reverse(name, kwargs=dict(values) or None)
    except NoReverseMatch:
        return None
