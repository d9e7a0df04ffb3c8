"""Middleware put around each other, as ``BaseHandler.load_middleware`` does, for routes that are asked on the loop.

Neighbours that consist of hooks (``MiddlewareMixin``) make one :class:`Hooks`: their hooks are called where the request
is, one after the other, and all together on a thread where one of them may block. Others wrap what is inside of them:
those that are async are awaited, and sync ones get a thread, as in Django.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import MiddlewareNotUsed
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from plectrum.errors import ConfigurationError

from .failure import failed
from .known import LATE, Blocks, blocks_of, due_of
from .request import ServedRequest
from .threads import in_thread

__all__ = ["Hook", "Stack"]

Inner = Callable[[ServedRequest], Awaitable[HttpResponseBase]]


class Hook:
    """One hook of a middleware, called where it belongs.

    Parameters:
        function: the bound method.
        blocks: what tells whether it may block; ``None`` where it never does.
    """

    __slots__ = ("_blocks", "_function", "_is_async")

    def __init__(self, function: Callable[..., Any], blocks: Blocks | None) -> None:
        self._function = function
        self._blocks = blocks
        self._is_async = inspect.iscoroutinefunction(function)

    async def __call__(self, request: ServedRequest, *args: Any) -> Any:
        """What it returns. Parameters: the request, and what else the hook takes."""
        if self._is_async:
            return await self._function(request, *args)
        if self._blocks is not None and self._blocks(request, None):
            return await in_thread(self._function, request, *args)
        return self._function(request, *args)


class Stack:
    """All middleware of a route around what answers it.

    Parameters:
        names: dotted names, outermost first.
        answer: the innermost: gives the route's own answer.
        where: the line that asks for them, for messages.

    Errors:
        ConfigurationError: one cannot be imported, made, or run at all.
    """

    def __init__(self, names: Sequence[str], answer: Inner, where: str) -> None:
        self.views: list[Hook] = []
        self.exceptions: list[Hook] = []
        self.templates: list[Hook] = []
        self.run: Inner = answer
        #: What hooks would set on every request and is set when it is read instead, by attribute.
        self.late: dict[str, Callable[[Any], Any]] = {}
        hooks: list[Any] = []
        inside = answer
        for name in reversed(names):
            factory = _imported(name, where)
            middleware, is_async = _made(name, factory, self.run, where)
            if middleware is None:
                continue
            self._collect(middleware)
            if _is_of_hooks(middleware):
                hooks.insert(0, middleware)
                self.run = Hooks(hooks, inside).run
            else:
                hooks, self.run = [], Wrapped(middleware, is_async).run
                inside = self.run

    def _collect(self, middleware: Any) -> None:
        """Hooks around the view: those of views from outside in, of what comes of them from inside out."""

        def hook(name: str) -> list[Hook]:
            found = getattr(middleware, name, None)
            return [] if found is None else [Hook(found, blocks_of(middleware, name))]

        for attribute in LATE.get(_name_of(middleware), ()):
            self.late[attribute] = middleware.process_request
        self.views[:0] = hook("process_view")
        self.templates += hook("process_template_response")
        self.exceptions += hook("process_exception")


def _name_of(middleware: Any) -> str:
    cls = middleware.__class__
    return f"{cls.__module__}.{cls.__qualname__}"


def _imported(name: str, where: str) -> Any:
    try:
        return import_string(name)
    except ImportError as error:
        raise ConfigurationError(f"{where}: the middleware {name!r} cannot be imported: {error}.") from error


def _made(name: str, factory: Any, inner: Inner, where: str) -> tuple[Any, bool]:
    """A middleware over ``inner``, and whether it is called on the loop; ``None`` where it has itself left out."""
    is_async = bool(getattr(factory, "async_capable", False))
    if not is_async and not getattr(factory, "sync_capable", True):
        raise ConfigurationError(f"{where}: {name} says it is neither sync_capable nor async_capable. Set one of them.")
    try:
        middleware = factory(inner if is_async else _waited(inner))
    except MiddlewareNotUsed:
        return None, is_async
    if middleware is None:
        raise ConfigurationError(f"{where}: the middleware factory {name} returned None. It has to return a callable.")
    _spare_redirects(middleware)
    return middleware, is_async


def _waited(inner: Inner) -> Callable[[ServedRequest], HttpResponseBase]:
    """``inner`` for sync middleware, which is called on a thread; in a test's client that is the loop's own."""
    waited = async_to_sync(inner)

    def get_response(request: ServedRequest) -> HttpResponseBase:
        here: Any = sys.modules.get("plectrum._here")
        loop = None if here is None else here.calling_loop()
        if loop is None:
            return waited(request)
        return cast("HttpResponseBase", loop.run_nested(inner(request)))

    return get_response


def _no(request: Any) -> bool:
    return False


def _spare_redirects(middleware: Any) -> None:
    """A path that a route has is never one without its slash; Django would search its URLconf to find that out."""
    from django.middleware.common import CommonMiddleware

    own: Any = CommonMiddleware.should_redirect_with_slash
    if isinstance(middleware, CommonMiddleware) and type(middleware).should_redirect_with_slash is own:
        setattr(middleware, "should_redirect_with_slash", _no)  # noqa: B010 - of the instance


def _is_of_hooks(middleware: Any) -> bool:
    """Whether it does nothing but call its hooks."""
    is_mixed, cls = isinstance(middleware, MiddlewareMixin), cast("Any", type(middleware))
    base: Any = MiddlewareMixin
    return (
        is_mixed
        and cls.__call__ is base.__call__
        and cls.__acall__ is base.__acall__
        and not inspect.iscoroutinefunction(getattr(cls, "process_request", None))
        and not inspect.iscoroutinefunction(getattr(cls, "process_response", None))
    )


class Hooks:
    """Middleware that consists of hooks, in a row.

    Parameters:
        middleware: instances, outermost first.
        inner: what is inside of them.

    Source: ``django.utils.deprecation.MiddlewareMixin.__call__``, with ``convert_exception_to_response`` around each.
    """

    def __init__(self, middleware: Sequence[Any], inner: Inner) -> None:
        self._inner = inner
        self._count = len(middleware)
        numbered = tuple(enumerate(middleware))
        self._before = [
            (place, one.process_request)
            for place, one in numbered
            if hasattr(one, "process_request") and _name_of(one) not in LATE
        ]
        self._after = [
            (place, one.process_response, due_of(one)) for place, one in numbered if hasattr(one, "process_response")
        ]
        self._after.reverse()
        self._blocks_before = _blocking(middleware, "process_request")
        self._blocks_after = _blocking(middleware, "process_response")

    async def run(self, request: ServedRequest) -> HttpResponseBase:
        """Calls the hooks before, what is inside, and the hooks after."""
        if _may_block(self._blocks_before, request, None):
            reached, response = await in_thread(self._enter, request)
        else:
            reached, response = self._enter(request)
        if response is None:
            response = await self._inner(request)
        if _may_block(self._blocks_after, request, response):
            return cast("HttpResponseBase", await in_thread(self._leave, request, response, reached))
        return self._leave(request, response, reached)

    def _enter(self, request: ServedRequest) -> tuple[int, HttpResponseBase | None]:
        """How many let the request in; and the answer of one that did not."""
        for place, hook in self._before:
            try:
                response = hook(request)
            except Exception as error:  # noqa: BLE001 - whatever a middleware raises
                return place, failed(request, error)
            if response is not None:
                return place + 1, response
        return self._count, None

    def _leave(self, request: ServedRequest, response: HttpResponseBase, reached: int) -> HttpResponseBase:
        for place, hook, is_due in self._after:
            if place < reached and (is_due is None or is_due(request)):
                try:
                    response = hook(request, response)
                except Exception as error:  # noqa: BLE001 - whatever a middleware raises
                    response = failed(request, error)
        return response


def _may_block(hooks: Sequence[Blocks], request: ServedRequest, response: HttpResponseBase | None) -> bool:
    for blocks in hooks:  # noqa: SIM110 - `any()` would cost as much again
        if blocks(request, response):
            return True
    return False


def _blocking(middleware: Sequence[Any], hook: str) -> list[Blocks]:
    found = (blocks_of(one, hook) for one in middleware if hasattr(one, hook))
    return [blocks for blocks in found if blocks is not None]


class Wrapped:
    """A middleware that calls what is inside of it by itself.

    Parameters:
        middleware: made with what is inside.
        is_async: whether it is called on the loop.
    """

    def __init__(self, middleware: Any, is_async: bool) -> None:
        self._call = middleware if is_async else sync_to_async(middleware, thread_sensitive=True)

    async def run(self, request: ServedRequest) -> HttpResponseBase:
        """The answer it lets out."""
        try:
            response = self._call(request)
            return cast("HttpResponseBase", await response if inspect.isawaitable(response) else response)
        except Exception as error:  # noqa: BLE001 - whatever a middleware raises
            return failed(request, error)
