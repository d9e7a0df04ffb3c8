"""Fields of ``Mutation``: a model's rows made, changed and deleted as Django does it, each in one transaction."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Invalid

from plectrum.errors import Forbidden, HTTPException, NotFound, ValidationError
from plectrum.resources.writing import Writer

from .answers import DEFINITIONS, REFUSED, Shown, dumped, project, refused, shown_row
from .arguments import Shape
from .entries import INPUT, Entry, Invalids, entries_of, inputs_of, value_of
from .fields import ObjectType
from .graph import Graph
from .roots import single_root
from .sdl import block
from .viewer import KnownViewer

__all__ = ["Mutation", "Mutations"]

_ACTIONS: Final = ("create", "update", "delete")

#: Does what a shape with its values asks for.
Run = Callable[[Shape, list[Any], KnownViewer], str | Shown]


@dataclass(frozen=True)
class Mutation:
    """A field of ``Mutation``.

    Parameters:
        sdl: its definition.
        run: does it.
    """

    sdl: str
    run: Run


class Mutations:
    """The fields of ``Mutation``.

    Parameters:
        graph: the types.

    Errors:
        ConfigurationError: a mutation that cannot be offered.
    """

    def __init__(self, graph: Graph) -> None:
        self.fields: dict[str, Mutation] = {}
        self._types: list[str] = []
        for one in graph.types.values():
            for action in one.options.writes:
                if action not in _ACTIONS:
                    raise graph.wrong(
                        f"Type({one.model.__name__}, writes=…) has no {action!r}. Choose from: {', '.join(_ACTIONS)}."
                    )
            if one.options.writes:
                writes = _Writes(graph, one)
                self.fields |= writes.fields()
                self._types += writes.definitions()

    def definitions(self, more: Iterable[str] = ()) -> Iterator[str]:
        """The schema of the mutations; nothing where there are none.

        Parameters:
            more: fields that functions answer.
        """
        fields = [*(field.sdl for field in self.fields.values()), *more]
        if fields:
            yield block("type Mutation", fields)
            yield from self._types
            yield from DEFINITIONS

    def run(self, asked: Shape, values: list[Any], viewer: KnownViewer) -> str | Shown:
        """Do what a field asks for; returns its answer as JSON, or the query that gives it."""
        return self.fields[asked["f"]].run(asked, values, viewer)


class _Writes:
    """The mutations of one type."""

    def __init__(self, graph: Graph, one: ObjectType) -> None:
        self._graph = graph
        self._one = one
        inputs = inputs_of(graph, one)
        self._entries = {entry.name: entry for entry in entries_of(graph, one, inputs)}
        self._names = {entry.field.name: entry.name for entry in self._entries.values()}
        self._writer = Writer(inputs, graph.declared.using)
        self._root = single_root(one)

    # ── The schema ─────────────────────────────────────────────────────────────────────────────────────────────

    def fields(self) -> dict[str, Mutation]:
        """By name."""
        name = self._one.name
        made: dict[str, tuple[str, Run]] = {
            "create": (f"(input: {name}Create!): {name}Result", self._create),
            "update": (f"(id: ID!, input: {name}Update!): {name}Result", self._update),
            "delete": (f"(id: ID!): {name}Deletion", self._delete),
        }
        return {
            f"{action}{name}": Mutation(f"{action}{name}{made[action][0]}", self._guarded(action, made[action][1]))
            for action in dict.fromkeys(self._one.options.writes)
        }

    def definitions(self) -> Iterator[str]:
        """Types of inputs and results."""
        name, writes = self._one.name, set(self._one.options.writes)
        if "create" in writes:
            yield block(f"input {name}Create", [entry.sdl(needed=True) for entry in self._entries.values()])
        if "update" in writes:
            yield block(f"input {name}Update", [entry.sdl(needed=False) for entry in self._changeable()])
        if writes & {"create", "update"}:
            yield f"union {name}Result = {name} | {REFUSED}"
        if "delete" in writes:
            yield f"union {name}Deletion = Deleted | {REFUSED}"

    def _changeable(self) -> list[Entry]:
        return [entry for entry in self._entries.values() if not entry.field.primary_key]

    # ── Writing ────────────────────────────────────────────────────────────────────────────────────────────────

    def _guarded(self, action: str, run: Run) -> Run:
        """What is refused is answered by the errors of its fields; what fails is an error of the response."""
        may_write = self._one.options.may_write

        def guarded(asked: Shape, values: list[Any], viewer: KnownViewer) -> str | Shown:
            try:
                if may_write is not None and not may_write(action, viewer):
                    raise Forbidden("This is not allowed.")
                return run(asked, values, viewer)
            except (HTTPException, PermissionDenied) as error:
                if isinstance(error, HTTPException) and error.status >= 500:
                    raise
                return refused(asked, error, self._names)

        return guarded

    def _create(self, asked: Shape, values: list[Any], viewer: KnownViewer) -> Shown:
        with self._writer.transaction((INPUT,)):
            row = self._writer.create(self._data(asked, values, viewer), (INPUT,))
            self._check_shown(row.pk, viewer)
        return self._shown(row, asked)

    def _update(self, asked: Shape, values: list[Any], viewer: KnownViewer) -> Shown:
        with self._writer.transaction((INPUT,)):
            row = self._found(asked, values, viewer)
            row = self._writer.update(row, self._data(asked, values, viewer), (INPUT,))
            self._check_shown(row.pk, viewer)
        return self._shown(row, asked)

    def _delete(self, asked: Shape, values: list[Any], viewer: KnownViewer) -> str:
        with self._writer.transaction((INPUT,)):
            row = self._found(asked, values, viewer)
            key = str(row.pk)
            self._writer.delete(row, (INPUT,))
        if self._graph.declared.global_ids:
            key = base64.b64encode(f"{self._one.name}:{key}".encode()).decode()
        return dumped(project({"id": key}, asked, lambda _: "Deleted"))

    def _data(self, asked: Shape, values: list[Any], viewer: KnownViewer) -> dict[str, Any]:
        """The input by Django's names."""
        given, invalids = asked["a"]["input"], Invalids()
        entries = {name: self._entries[name] for name in given}
        data = {entry.field.name: invalids.read(entry, given[name], values) for name, entry in entries.items()}
        invalids.check()
        for entry in entries.values():
            self._check_reachable(entry, data[entry.field.name], viewer)
        return data

    def _check_reachable(self, entry: Entry, value: Any, viewer: KnownViewer) -> None:
        """Nobody refers to rows that do not exist for them."""
        if entry.target is None or entry.target.options.rows is None or not value:
            return
        keys = value if entry.field.many_to_many else [value]
        name = "pk" if entry.field.many_to_many else entry.field.target_field.name
        try:
            known = self._rows(entry.target, viewer).filter(**{f"{name}__in": keys}).order_by().values(name).distinct()
            missing = known.count() < len({*map(str, keys)})
        except (ValueError, Invalid):
            missing = True
        if missing:
            message = f"There is no such {entry.target.model._meta.verbose_name}."
            raise ValidationError([{"loc": [INPUT, entry.field.name], "type": "not_found", "msg": message}])

    def _rows(self, one: ObjectType, viewer: KnownViewer) -> Any:
        """The rows that exist for whoever asks, where they are written."""
        rows = one.model._default_manager.using(self._writer.alias).all()
        return rows if one.options.rows is None else one.options.rows(rows, viewer.in_rules())

    def _found(self, asked: Shape, values: list[Any], viewer: KnownViewer) -> Any:
        """The row of the argument ``id``, locked."""
        rows = self._rows(self._one, viewer).order_by()
        try:
            key = value_of(asked["a"]["id"], values, self._one.name)
            key = rows.filter(pk=key).values_list("pk", flat=True).first()
        except (ValueError, Invalid):
            key = None
        row = None if key is None else self._writer.locked(key)
        if row is None:
            raise NotFound(f"There is no such {self._one.model._meta.verbose_name}.")
        return row

    def _check_shown(self, key: Any, viewer: KnownViewer) -> None:
        """A row that its writer must not know of is not written."""
        if self._one.options.rows is not None and not self._rows(self._one, viewer).filter(pk=key).exists():
            raise Forbidden("The row would be none of yours.")

    def _shown(self, row: Any, asked: Shape) -> Shown:
        return shown_row(self._root, self._one.name, row.pk, asked, self._writer.alias)
