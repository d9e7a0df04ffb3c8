"""``API``: routes collected, then compiled once into what Rust serves."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import assets
from ._inherit import INHERIT, several
from .asgi.lifespan import Lifespan, Lifespans
from .auth.compile import Access, DocsAccess
from .budgets import describe_concurrency
from .caching import check_workers, describe_cache, describe_once, watch
from .deps import CallPlan
from .deps.resolve import Overrides
from .edge import policy_of
from .errors import ConfigurationError, line_of, line_of_caller
from .feeds import compile_feed
from .hygiene import with_django_connections
from .middleware import Stacks
from .mount import django_routes
from .native import Planner, compile_native
from .nodes import ClassEntry, Nodes
from .openapi import Answer, answers_of, check_operation_ids, operation_id
from .output import Output, output_of
from .params import MISSING
from .returns import Returns, describe_operation, read_returns
from .routing import Handler, Route, Router
from .signature import REQUEST, RESPONDER, Parameter, Signature, read_signature
from .statics import Static, django_directories
from .urls import django_urls, djangos_path
from .websockets import check_socket

if TYPE_CHECKING:
    from .conf import Settings
    from .graphql import GraphQL
    from .graphql.planner import Planner as GraphPlanner
    from .middleware.around import Around

__all__ = ["API", "Compiled", "CompiledRoute"]


@dataclasses.dataclass(frozen=True)
class CompiledRoute:
    """A route with everything that is known of it before the first request.

    Parameters:
        route: as declared.
        way: ``native``, ``queryset`` or ``object``.
        parameters: arguments in the handler's order.
        returns: what the return annotation says.
        planner: makes a native route's plans, or a graph's; ``None`` on the other ways.
        plan: runs the handler's dependencies; ``None`` where it has none.
        graph: number of the graph that answers it.
        access: what the gates of the API share.
        around: Django's middleware around it.
        answers: how it may answer besides its success, for OpenAPI.
    """

    route: Route
    way: str
    parameters: tuple[Parameter, ...]
    returns: Returns
    planner: Planner | GraphPlanner | None = None
    plan: CallPlan | None = None
    graph: int | None = None
    access: Access = dataclasses.field(default_factory=Access)
    around: Around | None = None
    answers: tuple[Answer, ...] = ()

    @functools.cached_property
    def call(self) -> Handler:
        """What Rust calls: the handler, behind its dependencies, with Django's hygiene around a sync one."""
        handler, sync = self.route.handler, self.route.options.sync
        if self.chained:
            return self.around.bind(None, sync=False) if self.around else handler
        if self.plan is not None:
            handler = self.plan.bind(handler, sync=sync)
        handler = with_django_connections(handler) if sync else handler
        return self.around.bind(handler, sync=sync) if self.around else handler

    @functools.cached_property
    def output(self) -> Output | None:
        """What writes its results; ``None`` where they say themselves what they are."""
        return output_of(self.returns, self.route.handler) if self.planner is None else None

    @property
    def chained(self) -> bool:
        """Whether middleware stands around an endpoint of Rust's."""
        return self.around is not None and self.way == "native"

    @property
    def in_pool(self) -> bool:
        """Whether Rust calls it on a thread; middleware sees to that by itself."""
        return self.route.options.sync and self.around is None

    def behind(self, stacks: Stacks) -> CompiledRoute:
        """The same route with its middleware, which takes the request and what makes answers before the arguments."""
        around = stacks.around(self.route, self.parameters)
        given = () if around is None or self.way == "native" else (REQUEST, RESPONDER)
        return dataclasses.replace(self, around=around, parameters=(*given, *self.parameters))

    @property
    def keywords(self) -> tuple[str, ...]:
        """Names of the keyword-only parameters, which Python puts last."""
        return tuple(parameter.name for parameter in self.parameters if parameter.keyword_only)

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it (``crates/engine/src/blueprint.rs``)."""
        options, summary, description = self.route.options, *_documentation(self.route)
        return {
            "method": self.route.method,
            "path": self.route.path,
            "name": self.route.name,
            "way": self.way,
            "status": options.status,
            "parameters": [parameter.describe() for parameter in self.parameters],
            "response": self.returns.schema,
            "tags": list(options.tags),
            "summary": options.summary or summary,
            "description": options.description or description,
            "deprecated": options.deprecated,
            "include_in_schema": options.include_in_schema,
            "operation_id": operation_id(self.route),
            "responses": [answer.describe() for answer in self.answers],
            "strict_query": self._strict_query,
            "mounted": self.route.mounted,
            "gate": self.access.gate(self.route),
            "produces": options.produces or self._natural_type,
            "max_body": options.max_body,
            "timeout": options.timeout,
            "statement_timeout": options.statement_timeout,
            "concurrency": describe_concurrency(options.concurrency),
            "cache": describe_cache(self),
            "once": describe_once(self.route),
            "stream": options.stream,
            "cors": policy_of(self.route),
            "native": self.planner.describe() if isinstance(self.planner, Planner) else None,
            "feed": self.route.feed.describe() if self.route.feed else None,
            "websocket": dataclasses.asdict(self.route.websocket) if self.route.websocket else None,
            "graph": self.graph,
        }

    @property
    def _strict_query(self) -> bool:
        """A handler may read the query string by itself; all that a native route reads is known."""
        if self.route.options.strict_query is not None:
            return self.route.options.strict_query
        return self.route.native is not None

    @property
    def _natural_type(self) -> str | None:
        """JSON where that is certain."""
        other = self.route.websocket or self.graph is not None or self.returns.schema is None
        return None if other else "application/json"

    @property
    def loaders(self) -> list[Any]:
        """What finds the users of each authentication scheme."""
        return self.access.loaders


@dataclasses.dataclass(frozen=True)
class Compiled:
    """An API ready to be served: its description for Rust and the Python objects it refers to."""

    blueprint: str
    routes: tuple[CompiledRoute, ...]
    classes: tuple[ClassEntry, ...]
    access: Access
    lifespan: Lifespans | None = None


class API(Router):
    """An application: routes, their documents and defaults.

    Parameters:
        prefix: put before every path, such as ``"/api"``.
        title, version, description: for OpenAPI's ``info``.
        openapi_url: path of the OpenAPI document; ``None`` switches all documents off.
        docs_url: path of Swagger UI; ``None`` switches it off.
        redoc_url: path of Redoc; ``None`` switches it off.
        docs_guard: who may see the documents, one guard or several; everybody where absent.
        docs_auth: schemes that authenticate those who want to see them; those of ``auth`` where absent.
        tags: OpenAPI tags of every route.
        dependencies: run before every handler, each made by ``Depends``.
        auth, guards, throttle, cors, django_middleware: of every route that does not say otherwise; see
            :class:`plectrum.routing.Options`.

    Example::

        api = API(title="Shop")


        @api.get("/hello")
        async def hello() -> dict[str, str]:
            return {"message": "Hello, World!"}
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        title: str = "API",
        version: str = "1.0.0",
        description: str | None = None,
        openapi_url: str | None = "/openapi.json",
        docs_url: str | None = "/docs",
        redoc_url: str | None = "/redoc",
        docs_guard: Any = None,
        docs_auth: Any = INHERIT,
        tags: Iterable[str] = (),
        dependencies: Iterable[Any] = (),
        auth: Any = INHERIT,
        guards: Any = INHERIT,
        throttle: Any = INHERIT,
        cors: Any = INHERIT,
        django_middleware: Any = INHERIT,
    ) -> None:
        super().__init__(
            prefix,
            tags=tags,
            dependencies=dependencies,
            auth=auth,
            guards=guards,
            throttle=throttle,
            cors=cors,
            django_middleware=django_middleware,
        )
        self.info = {"title": title, "version": version, "description": description}
        shown = openapi_url is not None
        self.statics: list[Static] = []
        self.lifespans: list[Lifespan] = []
        self.docs = {
            "openapi": openapi_url,
            "swagger": docs_url if shown else None,
            "redoc": redoc_url if shown else None,
        }
        self.docs_access = DocsAccess(auth if docs_auth is INHERIT else docs_auth, docs_guard, line_of_caller())

    def mount_django(self, path: str = "/", *, urlconf: str | None = None) -> None:
        """Serves Django's URLconf below ``path``: the admin, and every view that is not an API's yet.

        Django's middleware, error pages and transactions are Django's own; routes of this API win over mounted ones.

        Parameters:
            path: absolute, whatever the API's prefix; ``"/"`` for all that no route answers.
            urlconf: dotted name; ``ROOT_URLCONF`` where ``None``.

        Errors:
            ConfigurationError: Django is not set up yet, or the path is none.
        """
        self.routes.extend(django_routes(path, urlconf))

    def mount(self, path: str, app: Any, **options: Any) -> None:
        """Puts something whole below ``path``: a router (or another API), or an ASGI application.

        Parameters:
            path: where it begins, such as ``"/v2"``; absolute for an application, under this API's prefix for a router.
            app: a :class:`Router`, whose routes become this API's, or what :meth:`mount_asgi` takes.
            options: of :meth:`mount_asgi`.

        Errors:
            ConfigurationError: it is neither.
        """
        if isinstance(app, Router):
            if options:
                raise ConfigurationError(
                    f"{line_of_caller()}: a router is mounted without options: {', '.join(options)}."
                )
            self.include(app, "" if path == "/" else path)
            if isinstance(app, API):
                self.statics += [dataclasses.replace(one, path=path.rstrip("/") + one.path) for one in app.statics]
                self.lifespans += app.lifespans
        else:
            self.mount_asgi(path, app, **options)

    def mount_asgi(
        self, path: str, app: Any, *, lifespan: bool = True, origins: Iterable[str] = (), name: str | None = None
    ) -> None:
        """Serves an ASGI application below ``path``, with its WebSockets: Starlette, FastAPI, Django's own, any.

        Parameters:
            path: absolute, whatever the API's prefix; ``"/"`` for all that no route answers. The application is told of
                it as ``root_path``.
            app: the application, called with scope, receive and send.
            lifespan: tell it when a worker starts and stops, and pass what it leaves in ``state`` to its requests.
            origins: whose pages may open WebSockets, besides those of ``WEBSOCKET_ORIGINS`` and the server's own.
            name: for messages; the application's class where absent.

        Errors:
            ConfigurationError: the path is none, or ``app`` cannot be one.
        """
        from .asgi.mount import asgi_routes

        life = Lifespan(app, name or f"{type(app).__name__} at {path}")
        self.routes.extend(asgi_routes(path, app, life, origins))
        if lifespan:
            self.lifespans.append(life)

    def reverse(self, name: str, /, **values: Any) -> str:
        """The path of a route.

        Parameters:
            name: the route's; the handler's name where it was not given one.
            values: by the names between braces in the path.

        A name that no route has is looked for in Django's URLconf, where Django is set up.

        Errors:
            LookupError: there is no such route, or the values are not those of its path.

        Source: ``django.urls.reverse``.
        """
        found = [route for route in self.routes if route.name == name]
        for route in found:
            if set(route.path_names) == set(values):
                return route.path_of(values)
        if not found:
            if (path := djangos_path(name, values)) is not None:
                return path
            close = difflib.get_close_matches(name, [route.name for route in self.routes], 1)
            raise LookupError(f"No route is named {name!r}." + (f" Did you mean {close[0]!r}?" if close else ""))
        wanted = " or ".join(f"({', '.join(route.path_names)})" for route in found)
        raise LookupError(f"The route {name!r} wants {wanted}, not ({', '.join(values)}).")

    @property
    def urls(self) -> list[Any]:
        """The routes' names for Django's URLconf: ``path("", include(api.urls))``, so that ``reverse()`` and
        ``{% url %}`` know them. Plectrum answers them by itself.
        """
        return django_urls(self.routes)

    def static(
        self,
        path: str,
        directory: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        index: str | None = None,
        cache_control: str | None = None,
        precompressed: bool = True,
        follow_symlinks: bool = False,
    ) -> None:
        """Serves files without Python; see :class:`plectrum.statics.Static`.

        Parameters:
            path: where they begin, such as ``"/static"``; under the API's prefix.
            directory: where they are; of several, the first that has the file.
            index: file that stands for its directory, such as ``"index.html"``.
            cache_control: value of ``Cache-Control``, such as ``"max-age=3600"``.
            precompressed: send ``style.css.br``, ``.zst`` or ``.gz`` to clients that take it.
            follow_symlinks: whether links may lead out of the directory.

        Errors:
            ConfigurationError: there is no such directory, or the path is malformed.
        """
        places = [directory] if isinstance(directory, (str, os.PathLike)) else directory
        self.statics.append(
            Static(
                path=self.prefix + path,
                directories=[os.fspath(place) for place in places],
                index=index,
                cache_control=cache_control,
                precompressed=precompressed,
                follow_symlinks=follow_symlinks,
            ).checked()
        )

    def mount_static(self, **options: Any) -> None:
        """Serves Django's ``STATIC_URL`` and ``MEDIA_URL``.

        Static files come from ``STATIC_ROOT`` where ``collectstatic`` made it, else from the directories that Django's
        finders look into. URLs of another host are left alone: somebody else serves those.

        Parameters:
            options: as :meth:`static`.

        Errors:
            ConfigurationError: Django's settings name no such URL.
        """
        for path, directories in django_directories():
            self.statics.append(Static(path=path, directories=directories, **options).checked())

    def compile(self, overrides: Overrides | None = None, settings: Settings | None = None) -> Compiled:
        """Compiles every route: signatures, types, query functions.

        Parameters:
            overrides: dependencies by the one that each stands in for, in tests.
            settings: what is served besides the routes; nothing where absent.

        Returns:
            What :class:`plectrum._core.App` is made of.

        Errors:
            PlanError: a query function cannot be traced.
            SchemaError: a type or constraint is wrong.
            ConfigurationError: a route is malformed.
        """
        check_operation_ids(self.routes)
        nodes = Nodes()
        graphs = list(dict.fromkeys(route.graph for route in self.routes if route.graph is not None))
        access = Access()
        compiled = (
            compile_route(route, nodes, overrides) if route.graph is None else _compile_graph(route, graphs)
            for route in [*self.routes, *_own_routes(settings)]
        )
        stacks = Stacks()
        routes = tuple(dataclasses.replace(route, access=access).behind(stacks) for route in compiled)
        check_workers(routes, settings)
        watch(routes)
        docs = {**self.docs, "assets": assets.directory(), "gate": access.docs_gate(self.docs_access)}
        described = {
            "info": self.info,
            "docs": docs,
            "routes": [route.describe() for route in routes],
            "statics": [dataclasses.asdict(mount) for mount in self.statics],
            "graphs": [graph.describe() for graph in graphs],
        }
        described["security"] = access.describe()
        lifespan = Lifespans(self.lifespans) if self.lifespans else None
        return Compiled(json.dumps(described), routes, tuple(nodes.classes), access, lifespan)


def _own_routes(settings: Settings | None) -> list[Route]:
    """Routes that settings add."""
    if settings is None or not settings.dashboard:
        return []
    from .dashboard import dashboard_routes

    return dashboard_routes(settings)


def compile_route(route: Route, nodes: Nodes, overrides: Overrides | None = None) -> CompiledRoute:
    """Compiles one route; see :meth:`API.compile`."""
    signature = read_signature(
        route.handler,
        route.path_names,
        nodes,
        dependencies=route.options.dependencies if route.native is None else (),
        overrides=overrides,
        sync=route.options.sync,
    )
    _check_claims(route, signature)
    returns = read_returns(signature.returns, nodes, route.handler)
    if route.feed is not None:
        planner, filters = compile_feed(route, nodes)
        return CompiledRoute(route, "native", filters, returns, planner)
    if route.native is not None:
        return _compile_native(route, signature, returns, nodes)
    _check_handler(route)
    check_socket(route, signature.parameters)
    _check_stream(route, signature)
    answers = answers_of(route, returns, None, nodes)
    return CompiledRoute(route, returns.way, signature.parameters, returns, plan=signature.plan, answers=answers)


def _compile_graph(route: Route, graphs: list[GraphQL]) -> CompiledRoute:
    assert route.graph is not None
    unknown = Returns(MISSING, "object")
    return CompiledRoute(route, "native", (), unknown, route.graph.planner, graph=graphs.index(route.graph))


def _compile_native(route: Route, signature: Signature, returns: Returns, nodes: Nodes) -> CompiledRoute:
    if inspect.iscoroutinefunction(route.handler):
        raise ConfigurationError(
            f"{line_of(route.handler)}: {route.handler.__qualname__}() is a query function and runs once, at start-up. "
            "Write it with plain 'def', or register it with @api.get to run it per request."
        )
    if signature.plan is not None or route.options.dependencies:
        raise ConfigurationError(
            f"{line_of(route.handler)}: {route.handler.__qualname__}() is a query function: no Python runs for a "
            "request, so no dependency can. Register it with @api.get as an 'async def', or take it out of the router "
            "whose dependencies= it would run."
        )
    planner, parameters = compile_native(route, signature, nodes)
    returns = dataclasses.replace(returns, schema=describe_operation(planner.base, nodes))
    answers = answers_of(route, returns, planner, nodes)
    return CompiledRoute(route, "native", parameters, returns, planner, answers=answers)


def _check_handler(route: Route) -> None:
    """Sync handlers would block the worker; they are refused unless the user opts in (F6)."""
    if route.options.sync == (not _is_async(route.handler)):
        return
    name, line = route.handler.__qualname__, line_of(route.handler)
    if route.options.sync:
        raise ConfigurationError(
            f"{line}: {name}() is 'async def' and sync=True is for plain functions. Remove sync=True."
        )
    raise ConfigurationError(
        f"{line}: {name}() is a plain 'def' and would block the worker while it runs. Write 'async def', or register "
        "it with sync=True to run it in the thread pool."
    )


def _check_claims(route: Route, signature: Signature) -> None:
    """Claims are of somebody: a route that authenticates nobody has none."""
    claim = next((parameter for parameter in signature.parameters if parameter.source == "claim"), None)
    if claim is not None and not several(route.options.auth):
        raise ConfigurationError(
            f"{line_of(route.handler)}: {route.handler.__qualname__}({claim.name}) is a claim, but the route has no "
            "auth=, so nobody could have one. Give it one, such as auth=[JWT()]."
        )
    if claim is not None and getattr(route.options.cache, "per", "user") == "all":
        raise ConfigurationError(
            f"{line_of(route.handler)}: {route.handler.__qualname__}({claim.name}) is a claim of who asks, and "
            "cache=Cache(per='all') would give one's answer to everybody. Leave per= out."
        )


def _check_stream(route: Route, signature: Signature) -> None:
    """A body that the handler reads by itself cannot be a parameter as well."""
    read = [p for p in signature.parameters if p.source in ("body", "body_field", "form", "raw")]
    if route.options.stream and read:
        raise ConfigurationError(
            f"{line_of(route.handler)}: {route.handler.__qualname__}() reads its body as a stream (stream=True) and as "
            f"the parameter {read[0].name!r}. Use one or the other."
        )


def _is_async(handler: Handler) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004


def _documentation(route: Route) -> tuple[str | None, str | None]:
    """Summary and description from the handler's docstring."""
    text = inspect.getdoc(route.handler) if route.handler.__doc__ else None
    if not text:
        return route.name.replace("_", " ").capitalize(), None
    first, _, rest = text.partition("\n")
    return first.strip().rstrip("."), rest.strip() or None
