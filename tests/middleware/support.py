"""Middleware of every kind, for the tests beside it."""

from __future__ import annotations

import threading
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponse
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin

#: What happened, in order: (who, what, thread).
LOG: list[tuple[str, str, str]] = []


def note(who: str, what: str) -> None:
    LOG.append((who, what, threading.current_thread().name))


def steps() -> list[str]:
    return [f"{who}.{what}" for who, what, _ in LOG]


class Hooked(MiddlewareMixin):
    """Hooks only, as most of Django's."""

    name = "hooked"

    def process_request(self, request: Any) -> HttpResponse | None:
        note(self.name, "request")
        if request.GET.get("stop") == self.name:
            return HttpResponse("stopped", status=418)
        if request.GET.get("raise") == f"{self.name}.request":
            raise ValueError("in process_request")
        return None

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        note(self.name, f"view {view.__name__} {kwargs}")
        if request.GET.get("view") == self.name:
            return HttpResponse("by the view hook")
        return None

    def process_exception(self, request: Any, error: Exception) -> HttpResponse | None:
        note(self.name, f"exception {error}")
        return HttpResponse("excused", status=203) if request.GET.get("excuse") == self.name else None

    def process_template_response(self, request: Any, response: Any) -> Any:
        note(self.name, "template")
        response.context_data["by"] = self.name
        return response

    def process_response(self, request: Any, response: Any) -> Any:
        note(self.name, "response")
        if request.GET.get("raise") == f"{self.name}.response":
            raise ValueError("in process_response")
        response[f"X-{self.name}"] = "1"
        return response


class Quick(Hooked):
    name = "quick"
    plectrum_blocks = False


class Inner(Hooked):
    name = "inner"
    plectrum_blocks = False


class SyncOnly:
    sync_capable, async_capable = True, False

    def __init__(self, get_response: Any) -> None:
        assert not iscoroutinefunction(get_response)
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        note("sync", "in")
        response = self.get_response(request)
        note("sync", "out")
        response["X-Sync"] = "1"
        return response


class AsyncOnly:
    sync_capable, async_capable = False, True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: Any) -> Any:
        note("async", "in")
        if request.GET.get("raise") == "async":
            raise PermissionError("in an async one")
        response = await self.get_response(request)
        note("async", "out")
        response["X-Async"] = "1"
        return response

    async def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        note("async", "view")


@sync_and_async_middleware
def both(get_response: Any) -> Any:
    async def middleware(request: Any) -> Any:
        note("both", "in")
        return await get_response(request)

    assert iscoroutinefunction(get_response)
    return middleware


def unused(get_response: Any) -> Any:
    raise MiddlewareNotUsed


def nothing(get_response: Any) -> Any:
    return None


class Neither:
    sync_capable = async_capable = False


class Looking(MiddlewareMixin):
    """Notes what others have put on the request."""

    plectrum_blocks = False

    def process_response(self, request: Any, response: Any) -> Any:
        for name in ("session", "user", "_messages"):
            if name in request.__dict__:
                note("request", name)
        return response


class Rewriting(MiddlewareMixin):
    """Changes bodies, streamed ones as well."""

    def process_response(self, request: Any, response: Any) -> Any:
        if not response.streaming:
            response.content = response.content.upper()
        elif response.is_async:
            response.streaming_content = _upper_async(response.streaming_content)
        else:
            response.streaming_content = (piece.upper() for piece in response.streaming_content)
        return response


async def _upper_async(pieces: Any) -> Any:
    async for piece in pieces:
        yield piece.upper()
