"""An exception as the answer that the middleware around it gets, as Django's ``convert_exception_to_response``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import got_request_exception
from django.utils.log import log_response

from plectrum._core import Response
from plectrum.bridge import internal_error, known_problem

from .answer import Answer

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["failed"]


def failed(request: HttpRequest, error: Exception) -> Answer:
    """The answer to an exception that a handler or a middleware let through.

    What nobody expected is sent by ``got_request_exception`` and logged by ``django.request`` with its request, as
    Django does, so that ``AdminEmailHandler`` and error trackers find there what they look for.

    Source: ``django.core.handlers.exception.response_for_exception``.
    """
    described = known_problem(error)
    unexpected = described is None
    if described is None:
        got_request_exception.send(sender=None, request=request)
        described = internal_error(error, settings.DEBUG)
    status, body, headers = described
    answer = Answer(Response(body, status, headers, "application/problem+json"))
    if unexpected:
        _log(request, answer, error)
    return answer


def _log(request: HttpRequest, answer: Answer, error: Exception) -> None:
    told: dict[str, Any] = {"response": answer, "request": request, "exception": error}
    log_response("%s: %s", answer.reason_phrase, request.path, **told)
