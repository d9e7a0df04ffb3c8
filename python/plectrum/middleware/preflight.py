"""OPTIONS where Django's middleware stands around a path, so that middleware for CORS can answer browsers.

As in Django, middleware sees such a request too. Where Plectrum's own CORS looks after a path, it stays with Rust.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from plectrum._inherit import INHERIT
from plectrum.errors import line_of
from plectrum.responses import Response
from plectrum.routing import Handler, Options, Route

from .chosen import chosen

__all__ = ["preflights"]


def preflights(routes: Iterable[Route]) -> Iterator[Route]:
    """A route for OPTIONS for each path that has middleware and none of its own.

    Errors:
        ConfigurationError: ``django_middleware=`` names what does not exist.
    """
    places: dict[str, list[Route]] = defaultdict(list)
    for route in routes:
        if route.websocket is None and not route.mounted:
            places[route.shape].append(route)
    for those in places.values():
        inner = next((route for route in those if _has_middleware(route)), None)
        if inner is not None and not any(route.method == "OPTIONS" or _has_cors(route) for route in those):
            given = inner.options
            options = Options(
                status=204, include_in_schema=False, django_middleware=given.django_middleware, version=given.version
            )
            handler = _answering({route.method for route in those})
            yield Route(method="OPTIONS", path=inner.path, handler=handler, options=options)


def _has_middleware(route: Route) -> bool:
    return chosen(route.options.django_middleware, line_of(route.handler)) is not None


def _has_cors(route: Route) -> bool:
    return route.options.cors is not INHERIT


def _answering(methods: set[str]) -> Handler:
    heads = ["HEAD"] if "GET" in methods else []
    allow = ", ".join(sorted({*methods, *heads, "OPTIONS"}))

    async def options() -> Response:
        return Response(status=204, headers={"allow": allow})

    return options
