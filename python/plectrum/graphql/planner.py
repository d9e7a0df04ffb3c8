"""Shapes of root fields → operations; asked by Rust, once per shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import router

from plectrum import _core
from plectrum.errors import ConfigurationError, line_of
from plectrum.orm import Operation
from plectrum.orm.plan import Backend
from plectrum.streaming import Source, source

from .arguments import Arguments
from .changes import Changes
from .fields import Resolved
from .functions import Functions
from .graph import Graph
from .info import Info, Visit
from .mutations import Mutations
from .options import GraphQL
from .outputs import written
from .resolvers import answers, called
from .roots import internal_roots, roots_of
from .scope import Scope
from .sdl import write_sdl

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
        self.using = declared.using or self._alias()
        self.roots = roots_of(self.graph) | internal_roots(self.graph)
        self.mutations = Mutations(self.graph)
        self.functions = Functions(self.graph, self.using)
        self.changes = Changes(self.graph, self.using)
        self.sdl = write_sdl(self.graph, self.functions.of("Query"), self._more())
        self._check_fields()
        try:
            _core.check_graphql_schema(self.sdl)
        except ValueError as error:
            raise self.graph.wrong(f"the models make no valid schema.\n{error}") from error

    def _more(self) -> Iterator[str]:
        """What else than queries there is."""
        yield from self.mutations.definitions(self.functions.of("Mutation"))
        yield from self.changes.definitions(self.functions.of("Subscription"))
        yield from self.functions.definitions()

    def _check_fields(self) -> None:
        """A function takes nobody's place."""
        known: dict[str, Any] = {
            "Query": self.roots,
            "Mutation": self.mutations.fields,
            "Subscription": self.changes.fields,
        }
        for (root, name), field in self.functions.fields.items():
            if name in known[root]:
                raise ConfigurationError(
                    f"{line_of(field.declared.function)}: the models make the field {root}.{name} already. Give the "
                    "function another name=."
                )

    def _alias(self) -> str:
        """The database of all models: one response comes from one database."""
        aliases = {router.db_for_read(one.model) for one in self.graph.types.values()}
        if len(aliases) > 1:
            raise self.graph.wrong(
                f"its models are read from several databases ({', '.join(sorted(aliases))}). Make one GraphQL() for "
                "each, or name one with using=."
            )
        return aliases.pop()

    def plan(self, shape: str) -> tuple[Operation, str, str, bool, bool]:
        """Plan a root field.

        Parameters:
            shape: as ``crates/graphql/src/lower.rs`` writes it.

        Returns:
            the operation, its arguments as Rust reads them, its database alias, whether Django's own connection has to
            run it, and whether functions give some of its fields.

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
        return operation, scope.arguments.describe(), using, bool(reasons), scope.resolves

    def resolves_async(self, type_name: str, field: str) -> bool:
        """Whether a field of rows is given by a coroutine."""
        return self._resolved(type_name, field).is_async

    def resolve(self, type_name: str, field: str, parents: str, visit: Visit) -> str:
        """Ask the function that gives a field of rows.

        Parameters:
            type_name: of the rows.
            field: its name in the schema.
            parents: a JSON array for each row: its key and what the function needs.
            visit: who asks.

        Returns:
            values, or what is wrong with them, as ``crates/engine/src/graphql/resolve.rs`` reads them.
        """
        resolved = self._resolved(type_name, field)
        values = called(self.graph.types[type_name].model, resolved, parents, Info(visit))
        return answers(resolved, parents, values)

    async def resolve_async(self, type_name: str, field: str, parents: str, visit: Visit) -> str:
        """As :meth:`resolve`, of a coroutine function."""
        resolved = self._resolved(type_name, field)
        values = await called(self.graph.types[type_name].model, resolved, parents, Info(visit))
        return answers(resolved, parents, values)

    def _resolved(self, type_name: str, field: str) -> Resolved:
        found = self.graph.types[type_name].fields[field]
        assert isinstance(found, Resolved)
        return found

    def is_async(self, root: str, name: str) -> bool:
        """Whether a field is answered by a coroutine."""
        field = self.functions.fields.get((root, name))
        return field is not None and field.is_async

    def call(self, root: str, shape: str, values: list[str], visit: Visit) -> str:
        """Answer a field by a plain function: the user's, or a mutation of a model.

        Parameters:
            root: ``Query`` or ``Mutation``.
            shape: as ``crates/graphql/src/lower.rs`` writes it.
            values: of its placeholders, as JSON.
            visit: who asks.

        Returns:
            the answer as ``crates/engine/src/graphql/answer.rs`` reads it.
        """
        asked, given = _read(shape, values)
        field = self.functions.fields.get((root, asked["f"]))
        if field is not None:
            return field.call(asked, given, visit)
        answer = self.mutations.run(asked, given, Info(visit).viewer)
        return f'{{"v":{answer}}}' if isinstance(answer, str) else written(answer, given, self.using)

    async def call_async(self, root: str, shape: str, values: list[str], visit: Visit) -> str:
        """Answer a field by a coroutine function; parameters and result as :meth:`call`."""
        asked, given = _read(shape, values)
        return await self.functions.fields[root, asked["f"]].call_async(asked, given, visit)

    def subscribe(self, shape: str, values: list[str], visit: Visit) -> str | Source:
        """What feeds a subscription: a table's changes as ``crates/engine/src/graphql/live/changes.rs`` reads them, or
        a function's events. Parameters: as :meth:`call`.
        """
        asked, given = _read(shape, values)
        field = self.functions.fields.get(("Subscription", asked["f"]))
        if field is None:
            return self.changes.watched(asked, len(given))
        return source(field.events(asked, given, visit))


def _read(shape: str, values: list[str]) -> tuple[dict[str, Any], list[Any]]:
    return json.loads(shape), [json.loads(value) for value in values]
