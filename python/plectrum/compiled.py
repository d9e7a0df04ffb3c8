"""``CompiledRoute``: a route with everything that is known of it before the first request."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from typing import TYPE_CHECKING, Any

from ._inherit import several
from .auth.compile import Access
from .budgets import describe_concurrency
from .caching import describe_cache, describe_once
from .deps import CallPlan
from .deps.resolve import Overrides
from .edge import policy_of
from .errors import ConfigurationError, line_of
from .feeds import compile_feed
from .guards import FINDS_ROW, object_guards
from .hygiene import with_django_connections
from .middleware import Stacks
from .native import Planner, compile_native
from .nodes import Nodes
from .openapi import Answer, answers_of, operation_id
from .output import Output, output_of
from .params import MISSING
from .returns import Returns, describe_operation, read_returns
from .routing import Handler, Route
from .signature import REQUEST, RESPONDER, Parameter, Signature, read_signature
from .versions import versions_of
from .views.base import guarded
from .websockets import check_socket

if TYPE_CHECKING:
    from .graphql import GraphQL
    from .graphql.planner import Planner as GraphPlanner
    from .middleware.around import Around

__all__ = ["CompiledRoute", "compile_graph", "compile_preflight", "compile_route"]

#: Of a handler that no user wrote.
UNKNOWN = Returns(MISSING, "object")


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
        handler, sync = guarded(self.route.handler, self.route.options.guards), self.route.options.sync
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
            "versions": versions_of(self.route),
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
    _check_object_guards(route)
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


def compile_graph(route: Route, graphs: list[GraphQL]) -> CompiledRoute:
    """Compiles the route of one of an API's graphs."""
    assert route.graph is not None
    return CompiledRoute(route, "native", (), UNKNOWN, route.graph.planner, graph=graphs.index(route.graph))


def compile_preflight(route: Route) -> CompiledRoute:
    """Compiles a route of :func:`plectrum.middleware.preflights`, which reads nothing of the request."""
    return CompiledRoute(route, "object", (), UNKNOWN)


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


def _check_object_guards(route: Route) -> None:
    """A guard that nobody asks would leave open what it was to close."""
    if not getattr(route.handler, FINDS_ROW, False):
        return
    for guard in object_guards(route.options.guards):
        raise ConfigurationError(
            f"{line_of(route.handler)}: {guard!r} looks at objects, but {route.handler.__qualname__} finds its row by "
            "itself and asks no guard about it. Narrow what it finds with queryset=, or write a ModelViewSet."
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
