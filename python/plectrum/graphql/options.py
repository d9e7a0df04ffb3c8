"""What users declare: the models of a graph, what is shown of them, and what a request may cost."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from plectrum.errors import ConfigurationError, line_of, line_of_caller

if TYPE_CHECKING:
    from .planner import Planner
    from .viewer import Viewer

__all__ = ["Function", "GraphQL", "Limits", "Live", "Type"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What one document may cost; ``None`` switches a limit off.

    Parameters:
        bytes: length of its text.
        tokens: words and punctuation in it.
        depth: levels of fields.
        fields: fields, with fragments spread.
        aliases: aliases, with fragments spread.
        directives: directives, with fragments spread.
        rows: rows a response may have by the limits of its lists: the products of nested limits, summed.
        request: bytes of a request's JSON, its variables included.
    """

    bytes: int | None = 65_536
    tokens: int | None = 8_000
    depth: int | None = 12
    fields: int | None = 1_000
    aliases: int | None = 60
    directives: int | None = 60
    rows: int | None = 1_000_000
    request: int | None = 262_144


@dataclasses.dataclass(frozen=True, kw_only=True)
class Live:
    """What subscriptions may take.

    Parameters:
        init_timeout: seconds a WebSocket's client may take to introduce itself; then it is closed with 4408.
        operations: operations that may run over one WebSocket at the same time.
        heartbeat: the longest silence on an event stream, in seconds.
        origins: origins whose pages may connect by WebSocket, besides the API's own and those of
            ``WEBSOCKET_ORIGINS``.
    """

    init_timeout: float = 3.0
    operations: int = 100
    heartbeat: float = 15.0
    origins: Iterable[str] = ()

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        return {**dataclasses.asdict(self), "origins": list(self.origins)}


@dataclasses.dataclass(frozen=True)
class Function:
    """A function that answers a field, as it was declared.

    Parameters:
        root: ``Query``, ``Mutation`` or ``Subscription``.
        function: the user's.
        name: of the field; the function's in camelCase where absent.
        sync: whether it is a plain function.
        allow: asked before it is called.
    """

    root: str
    function: Callable[..., Any]
    name: str | None
    sync: bool
    allow: Callable[[Viewer], bool] | None

    def check(self) -> None:
        """Refuses what could not be called.

        Errors:
            ConfigurationError: names the line and the fix.
        """
        function, line = self.function, line_of(self.function)
        name = function.__name__
        if self.root == "Subscription":
            if not inspect.isasyncgenfunction(function):
                raise ConfigurationError(
                    f"{line}: {name}() is no async generator. Write 'async def' and 'yield' each event."
                )
        elif inspect.isasyncgenfunction(function):
            raise ConfigurationError(f"{line}: {name}() yields: only a subscription's function does.")
        elif self.sync and inspect.iscoroutinefunction(function):
            raise ConfigurationError(
                f"{line}: {name}() is 'async def' and sync=True is for plain functions. Remove sync=True."
            )
        elif not self.sync and not inspect.iscoroutinefunction(function):
            raise ConfigurationError(
                f"{line}: {name}() is a plain 'def' and would block the worker while it runs. Write 'async def', or "
                "register it with sync=True to run it in the thread pool."
            )


@dataclasses.dataclass(frozen=True)
class Type:
    """How a model is shown.

    Parameters:
        model: a Django model.
        name: name of the type; the model's where absent.
        fields: names of the model fields and relations to show; all where absent.
        exclude: names not to show.
        rows: narrows the rows that exist for a client: ``(queryset, viewer) → queryset``. It is called while a query
            is planned, not on each request: what it needs of the request it takes from the :class:`Viewer`.
        visible: field name → condition on the row without which the field is null: a ``Q``, or ``viewer → Q``.
        computed: field name → SQL expression with an ``output_field``.
        resolved: field name → function that gives the values of all rows at once, or a :class:`Resolver` of one.
        writes: mutations of its rows: ``create``, ``update``, ``delete``.
        write_fields: names of the fields that they may set; all that are shown and editable where absent.
        may_write: ``(action, viewer) → bool``, asked before each of them; here the viewer's values are known.
        changes: whether clients may subscribe to its changes. The table needs the trigger of
            :class:`plectrum.migrations.AddFeed`.
    """

    model: Any
    name: str | None = None
    fields: Iterable[str] | None = None
    exclude: Iterable[str] = ()
    rows: Callable[[Any, Viewer], Any] | None = None
    visible: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    computed: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    resolved: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any], kw_only=True)
    writes: Iterable[str] = ()
    write_fields: Iterable[str] | None = None
    may_write: Callable[[str, Viewer], bool] | None = None
    changes: bool = False


class GraphQL:
    """A GraphQL schema over Django models, for :meth:`plectrum.API.graphql`.

    Parameters:
        models: Django models, or :class:`Type` where more is to be said of one.
        global_ids: make ids opaque and unique across types, and add ``node(id)`` and the interface ``Node``.
        default_limit: rows of a root list that names no limit; ``None`` for all.
        max_limit: rows a list may ask for.
        introspection: whether clients may ask for the schema; ``DEBUG`` decides where absent.
        page: whether browsers get a page to try queries with; ``DEBUG`` decides where absent.
        batch: operations in one request; 0 refuses lists of operations.
        limits: what one document may cost.
        cache: documents, and plans, kept by each worker.
        persisted: whether clients may register documents by their SHA-256 (automatic persisted queries).
        allowed: the only documents that are executed, as texts; clients may name one by its SHA-256. Any where absent.
        using: database alias; Django's routers decide where absent.
        live: what subscriptions may take.

    Errors:
        ConfigurationError: a model or an option that cannot be used, when the API is compiled.
    """

    def __init__(
        self,
        models: Iterable[Any],
        *,
        global_ids: bool = False,
        default_limit: int | None = 100,
        max_limit: int = 1000,
        introspection: bool | None = None,
        page: bool | None = None,
        batch: int = 0,
        limits: Limits | None = None,
        cache: int = 1000,
        persisted: bool = True,
        allowed: Iterable[str] | None = None,
        using: str | None = None,
        live: Live | None = None,
    ) -> None:
        self.where = line_of_caller()
        self.types = tuple(one if isinstance(one, Type) else Type(one) for one in models)
        if not self.types:
            raise ConfigurationError(f"{self.where}: GraphQL(models=[]) has nothing to show. Name a model.")
        self.global_ids = global_ids
        self.default_limit = default_limit
        self.max_limit = max_limit
        self.introspection = introspection
        self.page = page
        self.batch = batch
        self.limits = limits or Limits()
        self.cache = cache
        self.persisted = persisted
        self.allowed = None if allowed is None else list(allowed)
        self.using = using
        self.live = live or Live()
        self.functions: list[Function] = []
        self._planner: Planner | None = None

    @overload
    def query(self, function: F, /) -> F: ...
    @overload
    def query(
        self, *, name: str | None = None, sync: bool = False, allow: Callable[[Viewer], bool] | None = None
    ) -> Callable[[F], F]: ...
    def query(self, function: Any = None, **options: Any) -> Any:
        """Answers a field of ``Query`` with the decorated ``async def``.

        Parameters and result are typed: scalars, enums, dataclasses, ``Schema``, models of the graph, lists of them.

        Parameters:
            name: of the field; the function's in camelCase where absent.
            sync: whether the function is a plain ``def``, to be run in the thread pool.
            allow: ``viewer → bool``, asked before it is called.

        Errors:
            ConfigurationError: it cannot be called so, or the schema is made already.
        """
        return self._declare("Query", function, options)

    @overload
    def mutation(self, function: F, /) -> F: ...
    @overload
    def mutation(
        self, *, name: str | None = None, sync: bool = False, allow: Callable[[Viewer], bool] | None = None
    ) -> Callable[[F], F]: ...
    def mutation(self, function: Any = None, **options: Any) -> Any:
        """Answers a field of ``Mutation`` with the decorated function; parameters as :meth:`query`.

        What it refuses (``ValidationError``, ``NotFound``, ``Forbidden``, Django's ``ValidationError`` and
        ``PermissionDenied``) is answered as ``Refused``, as by the mutations of models.
        """
        return self._declare("Mutation", function, options)

    @overload
    def subscription(self, function: F, /) -> F: ...
    @overload
    def subscription(
        self, *, name: str | None = None, allow: Callable[[Viewer], bool] | None = None
    ) -> Callable[[F], F]: ...
    def subscription(self, function: Any = None, **options: Any) -> Any:
        """Feeds a field of ``Subscription`` from the decorated async generator; parameters as :meth:`query`.

        It is closed when the client goes away, and waits while the client takes nothing.
        """
        return self._declare("Subscription", function, options)

    def _declare(self, root: str, function: Any, options: dict[str, Any]) -> Any:
        def declare(function: F) -> F:
            declared = Function(root, function, options.get("name"), options.get("sync", False), options.get("allow"))
            declared.check()
            if self._planner is not None:
                raise ConfigurationError(
                    f"{line_of(function)}: the schema is made already. Declare {function.__name__}() before it is "
                    "served or shown."
                )
            self.functions.append(declared)
            return function

        return declare if function is None else declare(function)

    @property
    def planner(self) -> Planner:
        """Plans the graph's shapes; the models are described when it is first asked for."""
        if self._planner is None:
            from .planner import Planner

            self._planner = Planner(self)
        return self._planner

    @property
    def sdl(self) -> str:
        """The schema, in the schema definition language."""
        return self.planner.sdl

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it (``crates/engine/src/graphql/description.rs``)."""
        from django.conf import settings

        shown = bool(settings.DEBUG)
        return {
            "sdl": self.sdl,
            "global_ids": self.global_ids,
            "introspection": shown if self.introspection is None else self.introspection,
            "page": shown if self.page is None else self.page,
            "batch": self.batch,
            "limits": dataclasses.asdict(self.limits),
            "cache": self.cache,
            "persisted": self.persisted,
            "allowed": self.allowed,
            "functions": self.planner.functions.names("Query"),
            "live": self.live.describe(),
        }
