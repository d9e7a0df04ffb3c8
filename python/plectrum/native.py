"""Native routes: a query function and its declared variations → plans for Rust.

A route without variations is traced once, at start-up. Filters, ordering, search and paging multiply the plans, so each
combination is traced when it is first asked for and kept by the engine; at start-up every single filter and every
ordering is traced once, so that whatever cannot be planned is known before the first request.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import Any

from .errors import ConfigurationError, PlanError, line_of
from .nodes import Node, Nodes
from .pagination import CursorPage
from .routing import Route
from .signature import Parameter, Signature, split_marker

if typing.TYPE_CHECKING:
    from .orm import Operation

__all__ = ["Planner", "compile_native", "query_parameter"]


@dataclasses.dataclass(frozen=True)
class Variant:
    """One combination of the declared variations.

    Parameters:
        present: names of the filters (and ``search``) the request carries.
        ordering: value of ``?ordering=``, or ``None`` for the function's own order.
        cursor: which way the cursor points, ``next`` or ``previous``; ``None`` without one.
    """

    present: tuple[str, ...] = ()
    ordering: str | None = None
    cursor: str | None = None


class Planner:
    """Plans one native route.

    Parameters:
        route: as declared.
        parameters: the function's own, then those the declaration adds.
        own: how many are the function's own.
        annotation: its return annotation, or ``MISSING``.
        nodes: for the response's description.
    """

    def __init__(self, route: Route, parameters: Sequence[Parameter], own: int, annotation: Any) -> None:
        assert route.native is not None
        self.route = route
        self.native = route.native
        self.listing = route.native.listing
        self.parameters = tuple(parameters)
        self.own = own
        self.annotation = annotation
        self._indices = {parameter.name: index for index, parameter in enumerate(self.parameters)}
        # Rust refers to operations by number; here they live as long as the route.
        self._planned: dict[Variant, Operation] = {}
        self.base = self.trace(Variant())
        self._try_variants()

    @property
    def varies(self) -> bool:
        """Whether there is more than one plan."""
        return self.listing.needs_model

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        listing = self.listing
        return {
            "alias": self.base.alias,
            "foreign": self.base.backend == "django",
            "operation": self.base.describe(),
            "links": listing.page is not None,
            "optional": [self._indices[name] for name in listing.optional],
            "ordering": self._indices["ordering"] if listing.ordering else None,
            "cursor": self._indices[listing.page.param] if isinstance(listing.page, CursorPage) else None,
        }

    def plan(self, present: Sequence[int], ordering: str | None, cursor: str | None = None) -> Operation:
        """The operation for one variant; called by the engine the first time a request needs it.

        Parameters:
            present: indices of the optional parameters the request carries.
            ordering: value of ``?ordering=``.
            cursor: which way the cursor points.
        """
        variant = Variant(tuple(self.parameters[index].name for index in present), ordering, cursor)
        self._planned[variant] = operation = self.trace(variant)
        return operation

    def trace(self, variant: Variant) -> Operation:
        """Calls the query function with symbolic parameters and plans what it returns."""
        from .orm import trace

        params = _symbols(self.route, self.parameters)
        return trace(
            self.route.handler,
            params[: self.own],
            annotation=self.annotation,
            using=self.native.using,
            transform=self._transform(variant, {param.name: param for param in params}),
        )

    def _transform(self, variant: Variant, params: dict[str, Any]) -> Callable[[Any], Any]:
        """What the declaration adds to the queryset the function returned."""

        def transform(result: Any) -> Any:
            if not self.varies and self.listing.page is None:
                return result
            self._check_queryset(result)
            rows = self.listing.narrow(result, variant.present, variant.ordering, params)
            if isinstance(self.listing.page, CursorPage):
                # The cursor's values come behind the request's own.
                scope = f"{self.route.method} {self.route.path}"
                return self.listing.cursor_page(rows, params, scope, variant.cursor, len(self.parameters))
            return self.listing.paged(rows, params)

        return transform

    def _check_queryset(self, result: Any) -> None:
        from django.db.models import QuerySet

        if not isinstance(result, QuerySet):
            raise ConfigurationError(
                f"{line_of(self.route.handler)}: filters=, ordering=, search= and page= need a query function that "
                f"returns a QuerySet; {self.route.handler.__qualname__}() returned {type(result).__name__}."
            )

    def _try_variants(self) -> None:
        """Every declared variation once, alone: what cannot be planned must stop the start."""
        for name in self.listing.optional:
            self.trace(Variant((name,)))
        for field in self.listing.ordering:
            self.trace(Variant(ordering=field))
        if isinstance(self.listing.page, CursorPage):
            for direction in ("next", "previous"):
                self.trace(Variant(cursor=direction))


def compile_native(route: Route, signature: Signature, nodes: Nodes) -> tuple[Planner, tuple[Parameter, ...]]:
    """Plans a native route.

    Returns:
        its planner, and all of its parameters (its own and the declared ones).

    Errors:
        PlanError: the function cannot be traced.
        ConfigurationError: a declared name is taken or unknown.
    """
    declared = list(_declared(route, signature, nodes))
    own = {parameter.name for parameter in signature.parameters}
    for parameter in signature.parameters:
        if parameter.factory is not None:
            raise ConfigurationError(
                f"{line_of(route.handler)}: {route.handler.__qualname__}({parameter.name}): default_factory= would run "
                "for each request, and no Python runs for a query function's. Give a default=."
            )
    for parameter in declared:
        if parameter.name in own:
            raise ConfigurationError(
                f"{line_of(route.handler)}: the declaration of {route.handler.__qualname__}() adds a parameter "
                f"{parameter.name!r}, which the function has itself. Rename one of them."
            )
    parameters = (*signature.parameters, *declared)
    return Planner(route, parameters, len(signature.parameters), signature.returns), parameters


def _declared(route: Route, signature: Signature, nodes: Nodes) -> typing.Iterator[Parameter]:
    assert route.native is not None
    listing = route.native.listing
    model = _model_of(route, signature) if listing.needs_model else None
    for wanted in listing.parameters(model, route.handler):
        yield query_parameter(wanted.name, wanted.annotation, nodes, wanted.default)


def query_parameter(name: str, annotation: Any, nodes: Nodes, default: Any) -> Parameter:
    """A parameter of the query string that no signature has."""
    annotation, marker = split_marker(annotation)
    schema: Node = nodes.schema(annotation, marker, where=name)
    many = schema["root"]["type"] == "list"
    return Parameter(
        name,
        name,
        "query",
        schema,
        default=default,
        many=many,
        annotation=annotation,
        description=marker.description if marker else None,
        examples=marker.examples if marker else (),
    )


def _model_of(route: Route, signature: Signature) -> Any:
    """The model behind the function: asked of the queryset it returns for symbolic parameters."""
    from .orm import queryset_of

    return queryset_of(route.handler, _symbols(route, signature.parameters)).model


def _symbols(route: Route, parameters: Sequence[Parameter]) -> list[Any]:
    """What the function is called with: parameters that stand for the values of requests."""
    from .orm import Param

    try:
        return [Param(p.name, p.annotation, p.source, index) for index, p in enumerate(parameters)]
    except PlanError as error:
        raise PlanError(f"{line_of(route.handler)}: {route.handler.__qualname__}(): {error}") from error
