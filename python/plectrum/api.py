"""``API``: routes collected, then compiled once into what Rust serves."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import assets
from ._inherit import INHERIT
from .asgi.lifespan import Lifespan, Lifespans
from .auth.compile import Access, DocsAccess
from .caching import check_workers, watch
from .compiled import CompiledRoute, compile_graph, compile_preflight, compile_route
from .deps.resolve import Overrides
from .errors import ConfigurationError, line_of_caller
from .middleware import Stacks, preflights
from .mount import django_routes
from .nodes import ClassEntry, Nodes
from .openapi import check_operation_ids
from .routing import Route, Router
from .statics import Static, django_directories
from .urls import django_urls, djangos_path
from .versions import Versioning, describe_versioning, versions_of

if TYPE_CHECKING:
    from .conf import Settings

__all__ = ["API", "Compiled"]


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
        versioning: how a request names the version it means, where routes have a ``version=``: a
            :class:`~plectrum.versions.HeaderVersion` or :class:`~plectrum.versions.AcceptVersion`.
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
        versioning: Versioning | None = None,
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
        self.versioning = versioning
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
    def versions(self) -> list[str]:
        """The names of its versions; none where no route has a ``version=``."""
        return list(dict.fromkeys(name for route in self.routes for name in versions_of(route)))

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
            compile_route(route, nodes, overrides) if route.graph is None else compile_graph(route, graphs)
            for route in [*self.routes, *_own_routes(settings)]
        )
        ours = () if settings is not None and settings.cors_origins else preflights(self.routes)
        stacks = Stacks()
        routes = tuple(
            dataclasses.replace(route, access=access).behind(stacks)
            for route in [*compiled, *map(compile_preflight, ours)]
        )
        check_workers(routes, settings)
        watch(routes)
        docs = {**self.docs, "assets": assets.directory(), "gate": access.docs_gate(self.docs_access)}
        described = {
            "info": self.info,
            "docs": docs,
            "versioning": describe_versioning(self.versioning, self.routes),
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
