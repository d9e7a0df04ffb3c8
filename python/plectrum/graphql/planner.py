"""Shapes of root fields → operations; asked by Rust, once per shape."""

from __future__ import annotations

import json
from typing import Any

from django.db import router

from plectrum import _core
from plectrum.orm import Operation
from plectrum.orm.plan import Backend

from .arguments import Arguments
from .graph import Graph
from .mutations import Mutations
from .options import GraphQL
from .roots import roots_of
from .scope import Scope
from .sdl import write_sdl
from .viewer import KnownViewer

__all__ = ["Planner"]


class Planner:
    """Plans the shapes of one graph.

    Parameters:
        declared: what the user declared.

    Errors:
        ConfigurationError: the graph cannot be shown.
    """

    def __init__(self, declared: GraphQL) -> None:
        self.graph = Graph(declared)
        self.roots = roots_of(self.graph)
        self.mutations = Mutations(self.graph)
        self.sdl = write_sdl(self.graph, self.mutations.definitions())
        self.using = declared.using or self._alias()
        try:
            _core.check_graphql_schema(self.sdl)
        except ValueError as error:
            raise self.graph.wrong(f"the models make no valid schema.\n{error}") from error

    def _alias(self) -> str:
        """The database of all models: one response comes from one database."""
        aliases = {router.db_for_read(one.model) for one in self.graph.types.values()}
        if len(aliases) > 1:
            raise self.graph.wrong(
                f"its models are read from several databases ({', '.join(sorted(aliases))}). Make one GraphQL() for "
                "each, or name one with using=."
            )
        return aliases.pop()

    def plan(self, shape: str) -> tuple[Operation, str, str, bool]:
        """Plan a root field.

        Parameters:
            shape: as ``crates/graphql/src/lower.rs`` writes it.

        Returns:
            the operation, its arguments as Rust reads them, its database alias, and whether Django's own connection
            has to run it.

        Errors:
            GraphQLError: the client's mistake.
        """
        asked: dict[str, Any] = json.loads(shape)
        using: str = asked.get("using", self.using)
        scope = Scope(self.graph, using, Arguments(asked))
        queries, response = self.roots[asked["f"]].plan(scope, asked)
        reasons = tuple(dict.fromkeys(reason for query in queries for reason in query.reasons()))
        backend: Backend = "django" if reasons else "rust"
        operation = Operation(tuple(queries), response, using, backend, reasons, (), scope.arguments.for_django())
        return operation, scope.arguments.describe(), using, bool(reasons)

    def write(
        self, shape: str, values: list[str], viewer: tuple[str | None, str, dict[str, str]]
    ) -> str | tuple[str, list[str]]:
        """Do what a field of ``Mutation`` asks for.

        Parameters:
            shape: as ``crates/graphql/src/lower.rs`` writes it.
            values: of its placeholders, as JSON.
            viewer: subject, claims as JSON, headers.

        Returns:
            the JSON of the answer; or the shape of the query that gives it, and that one's values.

        Errors:
            GraphQLError: the client's mistake.
        """
        asked: dict[str, Any] = json.loads(shape)
        shown = self.mutations.run(asked, [json.loads(value) for value in values], KnownViewer(*viewer))
        if isinstance(shown, str):
            return shown
        if shown.using != self.using:
            shown.shape["using"] = shown.using
        return json.dumps(shown.shape, separators=(",", ":")), [json.dumps(value) for value in shown.values]
