"""A route with middleware around it: what Rust calls instead of the handler."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plectrum import _core
from plectrum.errors import ConfigurationError, line_of

from .chosen import chosen

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from django.urls import ResolverMatch

    from plectrum.routing import Route
    from plectrum.signature import Parameter

    from .request import ServedRequest
    from .stack import Stack

__all__ = ["DJANGO_REQUEST", "Around", "Stacks"]

Handler = Callable[..., Any]

#: What a parameter annotated ``HttpRequest`` is called on the wire: nothing is read there.
DJANGO_REQUEST = "django request"


class Stacks:
    """Stacks of an API, by the names in them: a middleware is made once for all routes that have the same ones."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], Stack] = {}

    def around(self, route: Route, parameters: Sequence[Parameter]) -> Around | None:
        """What stands around a route; ``None`` where nothing does.

        Errors:
            ConfigurationError: the route asks for what could not work.
        """
        where = line_of(route.handler)
        asks = next((parameter for parameter in parameters if parameter.wire == DJANGO_REQUEST), None)
        names = None if route.websocket is not None else chosen(route.options.django_middleware, where)
        if names is None:
            if asks is not None:
                raise ConfigurationError(
                    f"{where}: {route.handler.__qualname__}({asks.name}) takes Django's HttpRequest, which routes with "
                    "middleware have. Register it with django_middleware=True (or a list), or take a plectrum.Request."
                )
            return None
        if route.options.stream:
            raise ConfigurationError(
                f"{where}: {route.handler.__qualname__}() reads its body as a stream (stream=True), and middleware may "
                "read it as well. Register it with django_middleware=False."
            )
        if names not in self._made:
            from .stack import Stack

            self._made[names] = Stack(names, _answer, where)
        return Around(route, self._made[names], parameters)


class Around:
    """Middleware around one route.

    Parameters:
        route: the route.
        stack: its middleware.
        parameters: the handler's.
    """

    def __init__(self, route: Route, stack: Stack, parameters: Sequence[Parameter]) -> None:
        self.route = route
        self.stack = stack
        self.callback = route.handler
        self._places = {parameter.name: place for place, parameter in enumerate(parameters)}
        self._path_names = {p.wire: p.name for p in parameters if p.source == "path"}
        self._asking = [p.name for p in parameters if p.wire == DJANGO_REQUEST]
        self._handler: Handler | None = None

    def bind(self, handler: Handler | None, *, sync: bool) -> Handler:
        """What Rust calls, with request and responder before the handler's own arguments.

        Parameters:
            handler: the user's function, behind its dependencies; ``None`` for a route that Rust answers.
            sync: whether it is a plain function, which gets a thread.
        """
        from .answer import sent
        from .request import ServedRequest
        from .signals import finished, started
        from .threads import in_thread

        if handler is not None and sync:
            self._handler = functools.partial(in_thread, handler)
        else:
            self._handler = handler
        run = self.stack.run

        async def around(request: _core.Request, responder: _core.Responder, *values: Any, **keywords: Any) -> Any:
            django = ServedRequest(request, self, responder, values, keywords)
            request._attach_django(django)
            if (waiting := started(django)) is not None:
                await waiting
            response = await run(django)
            answer = sent(response)
            if (waiting := finished(response)) is not None:
                await waiting
            return answer

        return functools.wraps(self.callback)(around)

    async def answer(self, request: ServedRequest) -> HttpResponseBase:
        """The route's own answer."""
        from .answer import as_django

        if self._handler is None:
            made = request._responder.answer()
        else:
            result = await self._handler(*self._arguments(request), **request._keywords)
            if _is_djangos(result):
                return result  # type: ignore[no-any-return]
            if isinstance(result, _core.Response):
                return as_django(result)
            made = request._responder.answer(result)
        return as_django(await made if inspect.isawaitable(made) else made)

    def _arguments(self, request: ServedRequest) -> Sequence[Any]:
        if not self._asking:
            return request._values
        values = [*request._values]
        for name in self._asking:
            if name in request._keywords:
                request._keywords[name] = request
            else:
                values[self._places[name]] = request
        return values

    def arguments_of_path(self, values: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        """What the path says, as a view of Django's would be given it."""
        return {
            wire: keywords[name] if name in keywords else values[self._places[name]]
            for wire, name in self._path_names.items()
            if name in keywords or self._places[name] < len(values)
        }

    def match(self, values: Sequence[Any], keywords: Mapping[str, Any]) -> ResolverMatch:
        """The route as Django's resolver would tell it."""
        from django.urls import ResolverMatch

        path = self.route.path.lstrip("/")
        arguments = self.arguments_of_path(values, keywords)
        return ResolverMatch(self.callback, (), arguments, url_name=self.route.name, route=path)


def _is_djangos(result: Any) -> bool:
    from django.http.response import HttpResponseBase

    return isinstance(result, HttpResponseBase)


async def _answer(request: ServedRequest) -> HttpResponseBase:
    """The innermost: hooks of views, the view, and what is made of its template or exception.

    Source: ``django.core.handlers.base.BaseHandler._get_response_async``.
    """
    from .failure import failed

    around = request._around
    try:
        response = await _before_view(request, around)
        if response is None:
            try:
                response = await around.answer(request)
            except Exception as error:
                response = await _excused(request, around, error)
                if response is None:
                    raise
        if callable(getattr(response, "render", None)):
            response = await _rendered(request, around, response)
    except Exception as error:  # noqa: BLE001 - whatever handlers and middleware raise
        return failed(request, error)
    return response


async def _before_view(request: ServedRequest, around: Around) -> HttpResponseBase | None:
    if around.stack.views:
        arguments = around.arguments_of_path(request._values, request._keywords)
        for hook in around.stack.views:
            response = await hook(request, around.callback, (), arguments)
            if response is not None:
                return response  # type: ignore[no-any-return]
    return None


async def _excused(request: ServedRequest, around: Around, error: Exception) -> HttpResponseBase | None:
    for hook in around.stack.exceptions:
        response = await hook(request, error)
        if response is not None:
            return response  # type: ignore[no-any-return]
    return None


async def _rendered(request: ServedRequest, around: Around, response: Any) -> HttpResponseBase:
    from .threads import in_thread

    for hook in around.stack.templates:
        response = await hook(request, response)
    try:
        # Templates load files and may query.
        return await in_thread(response.render)  # type: ignore[no-any-return]
    except Exception as error:
        excused = await _excused(request, around, error)
        if excused is None:
            raise
        return excused
