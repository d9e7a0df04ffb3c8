"""Fields of ``Subscription`` that hear of the changes of a model's rows, straight from PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import connections

from plectrum.feeds import channel_of

from .arguments import Shape
from .fields import ObjectType
from .graph import Graph
from .roots import changed_root, single_root
from .rows import selected_of
from .sdl import block

__all__ = ["Changes"]

_KINDS: Final = {"insert": "CREATED", "update": "UPDATED", "delete": "DELETED"}
_KIND: Final = block("enum ChangeKind", _KINDS.values())


class Changes:
    """The changes of a graph's models.

    Parameters:
        graph: the types.
        using: database alias.

    Errors:
        ConfigurationError: the models are not in PostgreSQL.
    """

    def __init__(self, graph: Graph, using: str) -> None:
        self._graph = graph
        types = [one for one in graph.types.values() if one.options.changes]
        #: By name.
        self.fields: dict[str, ObjectType] = {f"{single_root(one)}Changes": one for one in types}
        vendor = connections[using].vendor
        if types and vendor != "postgresql":
            raise graph.wrong(
                f"Type({types[0].model.__name__}, changes=True) needs PostgreSQL's LISTEN and NOTIFY; {using!r} is "
                f"{vendor}. Name another database with using=, or write a subscription of your own."
            )

    def definitions(self, more: Iterable[str] = ()) -> Iterator[str]:
        """The schema of subscriptions; nothing where there are none.

        Parameters:
            more: fields that functions feed.
        """
        fields = [
            f"{name}(kinds: [ChangeKind!], filter: {one.name}Filter): {one.name}Change!"
            for name, one in self.fields.items()
        ]
        if self.fields:
            yield _KIND
        for one in self.fields.values():
            yield block(f"type {one.name}Change", ["kind: ChangeKind!", "id: ID!", f"{single_root(one)}: {one.name}"])
        if all_fields := [*fields, *more]:
            yield block("type Subscription", all_fields)

    def watched(self, asked: Shape, key: int) -> str:
        """What a subscription hears, as ``crates/engine/src/graphql/live/changes.rs`` reads it.

        Parameters:
            asked: its shape.
            key: number of the placeholder for a row's key: the first that is free.
        """
        one = self.fields[asked["f"]]
        arguments = asked.get("a", {})
        selected = {"id": {"$": key, "t": "ID"}} | ({"filter": arguments["filter"]} if "filter" in arguments else {})

        def row(selection: list[Any]) -> str:
            shape = {"f": changed_root(one), "a": selected, "s": {one.name: selection}}
            return json.dumps(shape, separators=(",", ":"))

        members: list[tuple[str, Any]] = []
        rows: list[str] = []
        for response_key, name, inner in map(selected_of, asked["s"][f"{one.name}Change"]):
            if name == "__typename":
                members.append((response_key, {"literal": f"{one.name}Change"}))
            elif name in ("kind", "id"):
                members.append((response_key, name))
            else:
                members.append((response_key, {"row": len(rows)}))
                rows.append(row(inner["s"][one.name]))
        return json.dumps(
            {
                "channel": channel_of(one.model._meta.db_table),
                "kinds": self._kinds(one, arguments.get("kinds")),
                "members": members,
                # Whether it exists for the client is asked even where nothing of it is.
                "rows": rows or [row([])],
                "key": key,
                "prefix": one.name if self._graph.declared.global_ids else None,
            }
        )

    def _kinds(self, one: ObjectType, wanted: list[str] | None) -> dict[str, str]:
        """Kinds as PostgreSQL and as GraphQL know them. Of a row that is no more nobody can say whom it existed for."""
        told = {kind: name for kind, name in _KINDS.items() if kind != "delete" or one.options.rows is None}
        return told if wanted is None else {kind: name for kind, name in told.items() if name in wanted}
