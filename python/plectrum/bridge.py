"""Called by the Rust binding while requests are served; not for users."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any

from .errors import HTTPException, line_of_error

__all__ = ["describe_exception"]

_log = logging.getLogger("plectrum.request")

_Described = tuple[int, bytes, list[tuple[str, str]]]


def describe_exception(error: BaseException, route: str, debug: bool) -> _Described:
    """The response to an exception a handler let through, as ``(status, body, headers)``.

    Parameters:
        error: the exception.
        route: the route's name, for the log.
        debug: whether the traceback may be shown to the client.

    Source: RFC 9457; which of Django's exceptions mean which status is ``django.core.handlers.exception``.
    """
    if isinstance(error, HTTPException):
        return error.status, _encoded(error.problem()), list(error.headers.items())
    known = _django_problem(error)
    if known is not None:
        return known.status, _encoded(known.problem()), list(known.headers.items())
    place = line_of_error(error)
    _log.error("%s: %s%s", route, _said(error), f" at {place}" if place else "", exc_info=error)
    problem = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    if debug:
        problem["detail"] = _said(error)
        problem["traceback"] = "".join(traceback.format_exception(error))
    return 500, _encoded(problem), []


def _said(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _encoded(problem: dict[str, Any]) -> bytes:
    return json.dumps(problem, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _django_problem(error: BaseException) -> HTTPException | None:
    """What Django's own handler would answer, where the exception is one of Django's (or DRF's)."""
    if "django" not in sys.modules:
        return None
    from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
    from django.http import Http404

    if isinstance(error, Http404):
        return HTTPException(404, str(error) or None)
    if isinstance(error, PermissionDenied):
        return HTTPException(403, str(error) or None)
    if isinstance(error, (BadRequest, SuspiciousOperation)):
        return HTTPException(400)
    status = getattr(error, "status_code", None)
    if type(error).__module__.startswith("rest_framework.") and isinstance(status, int):
        return HTTPException(status, str(getattr(error, "detail", "")) or None)
    return None
