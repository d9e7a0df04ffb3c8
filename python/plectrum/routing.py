"""Routes as the user declares them, before anything is compiled."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ._inherit import INHERIT
from .budgets import Concurrency, concurrency_of
from .caching import Cache, Idempotency
from .caching import check as check_caching
from .deps.marker import Dependency
from .errors import DECLARED_AT, ConfigurationError, line_of, line_of_caller
from .filters import FilterSet, read_filters
from .listing import Listing
from .openapi import Responses, check_responses
from .throttling import rates_of

if TYPE_CHECKING:
    from .graphql import GraphQL
    from .pagination import Pagination

__all__ = ["Options", "QueryRoutes", "Route", "Router"]

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)
C = TypeVar("C", bound=type[Any])
_NAMES = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::[a-z]+)?\}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What can be said of a route besides its method, path and handler.

    Parameters:
        name: for ``reverse()`` and OpenAPI; the handler's name where absent.
        status: status code of a plain result.
        sync: run a plain ``def`` handler in the bounded thread pool.
        tags, summary, description, deprecated: for OpenAPI; the docstring gives summary and description.
        include_in_schema: whether OpenAPI shows the route.
        operation_id: OpenAPI's name of the operation; made of name, path and method where absent.
        responses: how else it may answer, for OpenAPI: ``[NotFound, 409]``, or with what is said of each, or the type
            of its JSON: ``{NotFound: "There is no such order.", 202: Accepted}``.
        auth: schemes that authenticate, of :mod:`plectrum.auth`; ``None`` opens the route.
        guards: who may pass, of :mod:`plectrum.guards`.
        throttle: rates, of :mod:`plectrum.throttling`; ``None`` lifts those around it.
        cors: whose pages may read its answers, a :class:`plectrum.edge.CORS`.
        version: the version of the API that has the route, or several, ``"2"`` or ``["1", "2"]``; every one where
            ``None``. See :mod:`plectrum.versions`.
        django_middleware: Django's middleware around the route: ``True`` for ``MIDDLEWARE``, a list of dotted names, or
            ``{"include": […]}`` or ``{"exclude": […]}``; ``False`` for none. See ``docs/middleware.md``.
        strict_query: refuse query parameters that the route does not know, with a 422 and what may have been meant.
            Native routes do, and so the lists of resources; handlers do not, unless told.
        dependencies: run before the handler for what they do, each made by ``Depends``.
        produces: media type of every answer; a client whose ``Accept`` refuses it gets 406. JSON where the return
            annotation says what the answer is; any type, unchecked, otherwise.
        max_body: bytes of a request's body at most, instead of ``MAX_BODY``; more is a 413.
        timeout: seconds the answer may take, then 504 and the handler is cancelled; streams have begun by then.
        statement_timeout: seconds a query may take that Rust executes for the route, then 504 and it is cancelled.
        concurrency: how many of its requests a worker answers at once, a number or a
            :class:`plectrum.budgets.Concurrency`; who finds no place in time gets 503 with ``Retry-After``.
        cache: seconds for which answers to GET are kept for others, or a :class:`plectrum.caching.Cache`.
        idempotent: requests may be sent again under the same ``Idempotency-Key``; ``True``, or a
            :class:`plectrum.caching.Idempotency`.
        stream: the handler reads the body by itself, with ``async for chunk in request.stream()``.
    """

    name: str | None = None
    status: int = 200
    sync: bool = False
    tags: tuple[str, ...] = ()
    summary: str | None = None
    description: str | None = None
    deprecated: bool = False
    include_in_schema: bool = True
    operation_id: str | None = None
    responses: Responses = ()
    auth: Any = INHERIT
    guards: Any = INHERIT
    throttle: Any = INHERIT
    cors: Any = INHERIT
    version: Any = INHERIT
    django_middleware: Any = INHERIT
    strict_query: bool | None = None
    dependencies: tuple[Dependency, ...] = ()
    produces: str | None = None
    max_body: int | None = None
    timeout: float | None = None
    statement_timeout: float | None = None
    concurrency: int | Concurrency | None = None
    cache: float | Cache | None = None
    idempotent: bool | Idempotency = False
    stream: bool = False

    def check(self, handler: Handler) -> None:
        """Refuses what no request could be answered with.

        Errors:
            ConfigurationError: names the handler's line and the option.
        """
        line = line_of(handler)
        if not 200 <= self.status <= 599:
            raise ConfigurationError(f"{line}: status={self.status} is not an answer's: 200 to 599.")
        check_responses(self.responses, handler)
        if self.max_body is not None and self.max_body < 0:
            raise ConfigurationError(f"{line}: max_body={self.max_body} is a number of bytes, from 0.")
        for name in ("timeout", "statement_timeout"):
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                raise ConfigurationError(f"{line}: {name}={limit} is a number of seconds above 0.")
        concurrency_of(self.concurrency, line)
        if self.stream and self.sync:
            raise ConfigurationError(
                f"{line}: a body is streamed with 'async for': write 'async def' instead of sync=True."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Native:
    """Declared variations of a traced query function.

    Parameters:
        listing: filters, ordering, search and pages the client may ask for.
        using: database alias; Django's routers decide where absent.
    """

    listing: Listing = dataclasses.field(default_factory=Listing)
    using: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Socket:
    """What is special about a WebSocket route.

    Parameters:
        origins: origins whose pages may connect, besides the API's own and those of ``WEBSOCKET_ORIGINS``.
    """

    origins: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Feed:
    """What is special about a change feed.

    Parameters:
        channel: what the table's trigger sends to.
        filters: fields clients may filter by, and their types.
        keys: what each of them is called in the row's JSON.
        history: events kept for clients that come back.
        heartbeat: the longest silence, in seconds.
    """

    channel: str
    filters: dict[str, Any]
    keys: tuple[str, ...]
    history: int
    heartbeat: float

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        return {**dataclasses.asdict(self), "filters": list(self.keys)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """One method on one path; ``mounted`` where it answers only paths that no other route has."""

    method: str
    path: str
    handler: Handler
    options: Options
    native: Native | None = None
    websocket: Socket | None = None
    feed: Feed | None = None
    graph: GraphQL | None = None
    mounted: bool = False

    @property
    def path_names(self) -> list[str]:
        """The names between braces in the path, in order."""
        return _NAMES.findall(self.path)

    @property
    def shape(self) -> str:
        """What paths it matches, whatever the names between its braces and with or without a slash at the end."""
        return _NAMES.sub(lambda match: match[0].replace(match[1], "", 1), self.path).rstrip("/")

    def path_of(self, values: Mapping[str, Any]) -> str:
        """The path with ``values`` between its braces, percent-encoded; those of ``{name:path}`` keep their slashes."""

        def filled(match: re.Match[str]) -> str:
            safe = "/" if match[0].endswith(":path}") else ""
            return urllib.parse.quote(str(values[match[1]]), safe)

        return _NAMES.sub(filled, self.path)

    @property
    def name(self) -> str:
        """The route's name: given, or the handler's."""
        return self.options.name or self.handler.__name__


class Router:
    """A group of routes under one prefix.

    Parameters:
        prefix: put before every path; starts with ``/`` and does not end with one.
        tags: OpenAPI tags of every route in it.
        dependencies: run before every handler in it, each made by ``Depends``.
        auth, guards, throttle, cors, version, django_middleware: of every route in it that does not say otherwise; see
            :class:`Options`.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        tags: Iterable[str] = (),
        dependencies: Iterable[Any] = (),
        auth: Any = INHERIT,
        guards: Any = INHERIT,
        throttle: Any = INHERIT,
        cors: Any = INHERIT,
        version: Any = INHERIT,
        django_middleware: Any = INHERIT,
    ) -> None:
        if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
            raise ConfigurationError(f'The prefix {prefix!r} must start with "/" and not end with one, such as "/api".')
        self.prefix = prefix
        self.tags = tuple(tags)
        self.dependencies: tuple[Dependency, ...] = tuple(dependencies)
        # A rate of a router counts the requests to all of its routes together.
        shared = throttle if throttle in (INHERIT, None) else rates_of(throttle, scope=f"router {prefix or '/'}")
        self.access = {"auth": auth, "guards": guards, "throttle": shared, "cors": cors}
        self.access |= {"version": version, "django_middleware": django_middleware}
        self.routes: list[Route] = []
        self.query = QueryRoutes(self)

    def add(
        self,
        method: str,
        path: str,
        handler: Handler,
        options: Options,
        native: Native | None = None,
        websocket: Socket | None = None,
        feed: Feed | None = None,
    ) -> None:
        """Registers one route.

        Errors:
            ConfigurationError: the path is malformed, or the handler is of a kind the route cannot run.
        """
        if not path.startswith("/"):
            raise ConfigurationError(f'{line_of(handler)}: the path {path!r} must start with "/".')
        options.check(handler)
        check_caching(options, method, line_of(handler))
        options = self._inherited(options)
        path = self.prefix + path
        self.routes.append(
            Route(
                method=method,
                path=path,
                handler=handler,
                options=options,
                native=native,
                websocket=websocket,
                feed=feed,
            )
        )

    def include(self, router: Router, prefix: str = "") -> None:
        """Adds every route of ``router`` as it is now, under this router's prefix and ``prefix``."""
        for route in router.routes:
            options = self._inherited(route.options)
            self.routes.append(dataclasses.replace(route, path=self.prefix + prefix + route.path, options=options))

    def _inherited(self, options: Options) -> Options:
        """A route's options with what holds for every route here."""
        dependencies = (*self.dependencies, *options.dependencies)
        access = {name: value for name, value in self.access.items() if getattr(options, name) is INHERIT}
        if options.auth is None and options.guards is INHERIT:
            access["guards"] = None  # what is opened is open to all
        return dataclasses.replace(options, tags=(*self.tags, *options.tags), dependencies=dependencies, **access)

    def view(self, path: str, **options: Any) -> Callable[[C], C]:
        """Registers the methods of the decorated :class:`plectrum.views.View`. Options: :class:`Options`."""

        def register(cls: C) -> C:
            from .views.base import add_view

            add_view(self, path, cls, options)
            return cls

        return register

    def viewset(self, path: str, **options: Any) -> Callable[[C], C]:
        """Registers the actions of the decorated :class:`plectrum.views.ViewSet`. Options: :class:`Options`."""

        def register(cls: C) -> C:
            from .views.sets import add_viewset

            add_viewset(self, path, cls, options)
            return cls

        return register

    def resource(self, model: Any, path: str | None = None, **options: Any) -> None:
        """Registers list and detail routes of a Django model; see :func:`plectrum.resources.add_resource`."""
        from .resources import add_resource

        add_resource(self, model, path, **options)

    def feed(self, model: Any, path: str | None = None, **options: Any) -> None:
        """Registers a feed of a model's inserts, updates and deletes, as server-sent events from PostgreSQL.

        The model's table needs the trigger of :class:`plectrum.migrations.AddFeed`.

        Parameters:
            model: a Django model class in PostgreSQL.
            path: ``/<plural name>/feed`` where absent.
            filters: names of fields whose value clients may ask for: ``?status=published``.
            fields: names of the fields to show; all where absent.
            history: events that are kept for clients that come back with ``Last-Event-ID``.
            heartbeat: the longest silence, in seconds.
            using: database alias; Django's routers decide where absent.
            options: see :class:`plectrum.routing.Options`.

        Errors:
            ConfigurationError: a filter cannot be compared, or the model is not in PostgreSQL.
        """
        from .feeds import add_feed

        add_feed(self, model, path, where=line_of_caller(), **options)

    def graphql(self, path: str, graph: GraphQL, **options: Any) -> None:
        """Answers GraphQL over HTTP at ``path``, by GET and POST.

        Parameters:
            path: such as ``"/graphql"``.
            graph: the schema.
            options: see :class:`Options`; ``auth=``, ``guards=`` and ``throttle=`` come before a document is read.

        Source: GraphQL over HTTP specification.
        """

        def answer() -> None:
            """Answers a GraphQL request."""

        setattr(answer, DECLARED_AT, line_of_caller())
        for method in ("GET", "POST"):
            self.add(method, path, answer, _options(answer, {"name": "graphql", "include_in_schema": False, **options}))
            self.routes[-1] = dataclasses.replace(self.routes[-1], graph=graph)

    def route(self, path: str, *, methods: Sequence[str], **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for several methods."""

        def register(handler: H) -> H:
            for method in methods:
                self.add(method.upper(), path, handler, _options(handler, options))
            return handler

        return register

    def get(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for GET (and so HEAD). Options: :class:`Options`."""
        return self.route(path, methods=["GET"], **options)

    def post(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for POST. Options: :class:`Options`."""
        return self.route(path, methods=["POST"], **options)

    def put(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for PUT. Options: :class:`Options`."""
        return self.route(path, methods=["PUT"], **options)

    def patch(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for PATCH. Options: :class:`Options`."""
        return self.route(path, methods=["PATCH"], **options)

    def delete(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for DELETE. Options: :class:`Options`."""
        return self.route(path, methods=["DELETE"], **options)

    def head(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for HEAD, instead of what GET would give."""
        return self.route(path, methods=["HEAD"], **options)

    def options(self, path: str, **options: Any) -> Callable[[H], H]:
        """Registers the decorated handler for OPTIONS, instead of the automatic answer."""
        return self.route(path, methods=["OPTIONS"], **options)

    def websocket(self, path: str, *, origins: Iterable[str] = (), **options: Any) -> Callable[[H], H]:
        """Registers the decorated ``async def`` for WebSockets; it takes a parameter of type ``WebSocket``.

        Parameters:
            path: as of any route; parameters of path, query, headers and cookies are validated before the handshake.
            origins: see :class:`Socket`.
            options: see :class:`Options`.
        """
        socket = Socket(origins=tuple(origins))

        def register(handler: H) -> H:
            self.add("GET", path, handler, _options(handler, {"include_in_schema": False, **options}), websocket=socket)
            return handler

        return register


def _options(handler: Handler, given: dict[str, Any]) -> Options:
    known = [field.name for field in dataclasses.fields(Options)]
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {', '.join(known)}."
            raise ConfigurationError(f"{line_of(handler)}: a route has no option {name!r}. {hint}")
    return Options(**given)


class QueryRoutes:
    """``api.query``: routes whose function is called once at start-up and then runs in Rust alone."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def get(
        self,
        path: str,
        *,
        filters: Iterable[str] | Mapping[str, Any] | type[FilterSet] = (),
        ordering: Iterable[str] = (),
        search: Iterable[str] = (),
        page: Pagination | None = None,
        using: str | None = None,
        **options: Any,
    ) -> Callable[[H], H]:
        """Registers the decorated query function for GET.

        Parameters:
            filters: lookups that become optional query parameters, ``"views__gte"`` or ``{"min_views": "views__gte"}``,
                or a :class:`~plectrum.filters.FilterSet`.
            ordering: fields the client may order by with ``?ordering=-views``.
            search: fields searched (case-insensitively, any of them) by ``?search=``.
            page: how results are paged.
            using: database alias; Django's routers decide where absent.
            options: see :class:`Options`.

        Errors:
            ConfigurationError: the function is a coroutine function.
        """
        listing = Listing(read_filters(filters), tuple(ordering), tuple(search), page)
        native = Native(listing=listing, using=using)

        def register(function: H) -> H:
            self._router.add("GET", path, function, _options(function, options), native)
            return function

        return register
