"""Which rows came together, and by which relations they were reached from the rows a queryset began with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db.models import Model

__all__ = ["Group", "Groups", "Link"]


@dataclass(frozen=True)
class Link:
    """A relation as it is followed.

    Parameters:
        name: of the attribute.
        joins: ``select_related`` can follow it.
        narrowed: only some of its rows were asked for.
    """

    name: str
    joins: bool
    narrowed: bool = False


class Group:
    """Rows that one query gave, or that were loaded one by one over the same relation of such rows.

    Parameters:
        model: of the rows.
        parent: the rows they belong to; none where a queryset of their own gave them.
        link: the relation from there.
    """

    __slots__ = ("__weakref__", "_children", "_loaded", "link", "model", "parent")

    def __init__(self, model: type[Model], parent: Group | None = None, link: Link | None = None) -> None:
        self.model = model
        self.parent = parent
        self.link = link
        self._children: dict[str, Group] = {}
        self._loaded: dict[str, set[int]] = {}

    def child(self, link: Link, model: type[Model]) -> Group:
        """The rows reached over a relation."""
        found = self._children.get(link.name)
        if found is None:
            found = self._children[link.name] = Group(model, self, link)
        return found

    def load(self, relation: str, instance: Model) -> bool:
        """Notes that a row loads a relation; whether another one did before.

        Parameters:
            relation: its name.
            instance: the row.
        """
        loaded = self._loaded.setdefault(relation, set())
        loaded.add(id(instance._state))
        return len(loaded) > 1

    @property
    def root(self) -> type[Model]:
        """Model of the queryset it began with."""
        group = self
        while group.parent is not None:
            group = group.parent
        return group.model

    @property
    def links(self) -> tuple[Link, ...]:
        """The relations from there to here."""
        above = self.parent.links if self.parent is not None else ()
        return above if self.link is None else (*above, self.link)


class Groups:
    """The group of each row, for as long as the row lives."""

    def __init__(self) -> None:
        # A row's `_state` is its own; the row itself compares by its key.
        self._known: WeakKeyDictionary[Any, Group] = WeakKeyDictionary()

    def of(self, instance: Model) -> Group | None:
        """The group a row is in."""
        return self._known.get(instance._state)

    def put(self, instance: Model, group: Group) -> None:
        """Puts a row into a group, and those that came with it by ``select_related`` into groups below."""
        self._known[instance._state] = group
        self._put_joined(instance, group)

    def _put_joined(self, instance: Model, group: Group) -> None:
        for name, value in instance._state.fields_cache.items():
            # What was there before (the parent of a related manager's rows) keeps its place.
            if isinstance(value, Model) and value._state not in self._known:
                below = group.child(Link(name, joins=True), type(value))
                self._known[value._state] = below
                self._put_joined(value, below)

    def adopt(self, parents: Iterable[Model], link: Link, rows: Iterable[Model]) -> None:
        """Hangs the rows of a prefetch, which had a query of their own, below those they were fetched for."""
        above = next((group for parent in parents if (group := self.of(parent)) is not None), None)
        if above is None:
            return
        for row in rows:
            group = self.of(row)
            if group is not None and group.parent is None and group is not above:
                group.parent, group.link = above, link
