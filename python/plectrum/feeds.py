"""Change feeds: a model's inserts, updates and deletes as server-sent events, straight from PostgreSQL.

A trigger (:class:`AddFeed`, in a migration) sends key and number of every change with ``NOTIFY`` when its transaction
commits. One connection per worker hears them, each changed row is read once, and every client that wants it is sent the
same bytes: no Python runs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError, line_of
from .filtering import lookup_type
from .native import Planner, compile_native, query_parameter
from .resources.reading import base_rows, plural_of
from .routing import Feed, Native, Options, Route
from .signature import read_signature
from .synthetic import keyword, named, with_signature

if TYPE_CHECKING:
    from .nodes import Nodes
    from .routing import Router
    from .signature import Parameter

__all__ = ["add_feed", "channel_of", "compile_feed"]

#: Types whose text is the same in a query string and in a row's JSON.
_COMPARABLE = (int, str, bool, uuid.UUID)
_LONGEST_CHANNEL = 63


def channel_of(table: str) -> str:
    """The channel that a table's trigger sends to."""
    channel = f"plectrum:{table}"
    if len(channel.encode()) > _LONGEST_CHANNEL:
        channel = f"plectrum:{hashlib.sha256(table.encode()).hexdigest()[:32]}"
    return channel


def add_feed(
    router: Router,
    model: Any,
    path: str | None = None,
    *,
    filters: Iterable[str] = (),
    fields: Iterable[str] | None = None,
    history: int = 1000,
    heartbeat: float = 15.0,
    using: str | None = None,
    where: str,
    **options: Any,
) -> None:
    """Registers a feed; see :meth:`plectrum.API.feed`."""
    _, pk_type = model._meta.pk, lookup_type(model, "pk", _nowhere(where), "feed()")
    fields = None if fields is None else tuple(fields)
    rows = base_rows(model, None, fields)

    def row(**values: Any) -> Any:
        from .orm import One

        one: Any = One
        return one(rows().filter(pk=values["id"]))

    name = f"{model._meta.model_name}_feed"
    doc = f"Changes of {model._meta.verbose_name_plural} as server-sent events."
    handler = with_signature(row, [keyword("id", pk_type)])
    named(handler, name, module=model.__module__, doc=doc, where=where)
    wanted = {field: _filter_type(model, field, handler) for field in filters}
    keys = tuple(_key_of(model, field, fields, handler) for field in wanted)
    if history < 0 or not heartbeat > 0:
        raise ConfigurationError(f"{where}: feed(history={history}, heartbeat={heartbeat}): neither may be negative.")
    channel = channel_of(model._meta.db_table)
    feed = Feed(channel=channel, filters=wanted, keys=keys, history=history, heartbeat=float(heartbeat))
    path = path or f"/{plural_of(model)}/feed"
    router.add("GET", path, handler, Options(**options), Native(using=using), feed=feed)


def _nowhere(where: str) -> Any:
    def feed() -> None: ...

    return named(feed, "feed", module=__name__, doc="", where=where)


def _filter_type(model: Any, field: str, handler: Any) -> Any:
    found = lookup_type(model, field, handler)
    if found not in _COMPARABLE:
        shown = getattr(found, "__name__", found)
        raise ConfigurationError(
            f"{line_of(handler)}: filters= names {field!r}, whose values are {shown}: a feed compares text, integers, "
            "booleans and UUIDs. Leave it to the client to look at what it receives."
        )
    return found


def _key_of(model: Any, field: str, fields: Iterable[str] | None, handler: Any) -> str:
    """What a field is called in the rows of a feed: ``author_id`` stands there as ``author``.

    Errors:
        ConfigurationError: the rows do not show it, so nothing could be compared with it.
    """
    from django.core.exceptions import FieldDoesNotExist

    try:
        key = str(model._meta.pk.name if field == "pk" else model._meta.get_field(field).name)
    except FieldDoesNotExist:
        key = None
    if key is None or (fields is not None and key not in fields and field not in fields):
        shown = ", ".join(fields or [each.name for each in model._meta.concrete_fields])
        raise ConfigurationError(
            f"{line_of(handler)}: filters= names {field!r}, which the rows of this feed do not show: a feed compares "
            f"what it sends. Choose from: {shown}."
        )
    return key


def compile_feed(route: Route, nodes: Nodes) -> tuple[Planner, tuple[Parameter, ...]]:
    """Plans how a changed row is read.

    Returns:
        The planner, and what clients may filter by.

    Errors:
        ConfigurationError: the model is not in PostgreSQL.
    """
    assert route.feed is not None
    planner, _ = compile_native(route, read_signature(route.handler, (), nodes), nodes)
    _check_engine(planner.base.alias, route)
    filters = tuple(
        dataclasses.replace(query_parameter(name, annotation | None, nodes, None), description=_about(name))
        for name, annotation in route.feed.filters.items()
    )
    return planner, filters


def _about(name: str) -> str:
    return f"Only rows whose {name} is this; deletes are sent whatever it was."


def _check_engine(alias: str, route: Route) -> None:
    from django.db import connections

    vendor = connections[alias].vendor
    if vendor != "postgresql":
        raise ConfigurationError(
            f"{line_of(route.handler)}: a feed needs PostgreSQL's LISTEN and NOTIFY; {alias!r} is {vendor}. "
            "Name another one with using=, or poll."
        )
