"""Plectrum's own routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plectrum import conf, discovery
from plectrum.compiled import CompiledRoute
from plectrum.errors import ConfigurationError, PlanError
from plectrum.native import Planner

from .indexes import missing
from .report import Issue, RouteReport

__all__ = ["examine"]


def examine(issues: list[Issue]) -> list[RouteReport]:
    """The routes of the project's API, none where it has none; what is worth a look is added to ``issues``.

    Errors:
        PlectrumError: the API cannot be compiled.
    """
    named = conf.current().api
    try:
        api = discovery.find_in_django(named)
    except ConfigurationError:
        if named is not None:
            raise
        return []  # a project on DRF alone
    compiled = api.compile().routes
    for route in compiled:
        issues += _issues(route)
    return [RouteReport(found.route.name, found.route.method, found.route.path, found.way) for found in compiled]


def _issues(found: CompiledRoute) -> Iterator[Issue]:
    planner = found.planner
    if not isinstance(planner, Planner) or not planner.listing.needs_model:
        return
    rows = _rows_of(found, planner)
    if rows is None:
        return
    model, fixed = rows.model, _fixed(rows)
    where, listing = f"{found.route.method} {found.route.path}", planner.listing
    lookups = [item.lookup for item in listing.filters.values() if isinstance(item.lookup, str)]
    yield from missing(model, lookups, "filter", where, fixed)
    yield from missing(model, listing.ordering, "ordering", where, fixed)
    yield from missing(model, listing.search, "search", where)


def _rows_of(found: CompiledRoute, planner: Planner) -> Any:
    """The queryset of a query function."""
    from plectrum.orm import Param, queryset_of

    own = planner.parameters[: planner.own]
    symbols = [Param(item.name, item.annotation, item.source, index) for index, item in enumerate(own)]
    try:
        return queryset_of(found.route.handler, symbols)
    except PlanError:
        return None


def _fixed(rows: Any) -> set[str]:
    """Fields of the model that the function itself compares with one value."""
    conditions: list[Any] = [] if rows.query.where.negated else rows.query.where.children
    columns = [getattr(item, "lhs", None) for item in conditions if getattr(item, "lookup_name", "") == "exact"]
    targets = [getattr(column, "target", None) for column in columns]
    return {target.name for target in targets if target is not None and target.model is rows.model}
