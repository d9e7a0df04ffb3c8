"""Where Django loads relations: its descriptors, its related managers, its querysets.

Installed while somebody watches, and taken out afterwards.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.apps import apps
from django.db.models import Model, QuerySet, query
from django.db.models.fields import related_descriptors as related

from .groups import Link

__all__ = ["Listener", "Origin", "install", "origin_of", "uninstall"]

_ORIGIN = "_plectrum_origin"


class Listener(Protocol):
    """Hears of loads; see :class:`plectrum.nplusone.Detector`."""

    def loads(self, instance: Model, link: Link) -> None:
        """Before a row loads a relation."""

    def loaded(self, instance: Model, link: Link, row: Any) -> None:
        """After it loaded one row."""

    def rows(self, queryset: Any, rows: Any) -> Iterator[Any]:
        """Passes the rows of a query on."""
        ...  # pyright asks for it, as this one returns something

    def prefetched(self, instances: list[Model], link: Link, rows: list[Model]) -> None:
        """After a prefetch."""


@dataclass(frozen=True)
class Origin:
    """The row and the relation that a related manager's queryset came from.

    Parameters:
        instance: the row.
        link: the relation.
        conditions: how many it had then.
    """

    instance: Model
    link: Link
    conditions: int


_listener: list[Callable[[], Listener | None]] = []
_replaced: list[tuple[Any, str, Any]] = []
_users = [0]
_lock = threading.Lock()


def install(listener: Callable[[], Listener | None]) -> None:
    """Puts the hooks in, unless they are.

    Parameters:
        listener: gives who wants to hear of a load; ``None`` where nobody does.
    """
    with _lock:
        _users[0] += 1
        if _users[0] > 1:
            return
        _listener[:] = [listener]
        for owner, name, wrap in (*_HOOKS, *_generic_hooks()):
            original = cast("Any", vars(owner)[name])
            _replaced.append((owner, name, original))
            setattr(owner, name, functools.wraps(original)(wrap(original)))


def uninstall() -> None:
    """Takes the hooks out with the last one who installed them."""
    with _lock:
        _users[0] -= 1
        if _users[0]:
            return
        while _replaced:
            setattr(*_replaced.pop())


def origin_of(queryset: Any) -> Origin | None:
    """Where a queryset came from, if from a related manager."""
    found: Origin | None = queryset.__dict__.get(_ORIGIN)
    return found


def _heard() -> Listener | None:
    return _listener[0]()


def _fetches_peers(instance: Model) -> bool:
    """Since Django 6.1 a queryset may load a relation for all its rows at the first access, or forbid it."""
    mode = getattr(instance._state, "fetch_mode", None)
    return mode is not None and type(mode).__name__ != "FetchOne"


def _forward(original: Any) -> Any:
    def get_object(self: Any, instance: Model) -> Any:
        return _load_one(instance, Link(self.field.name, joins=True), lambda: original(self, instance))

    return get_object


def _reverse_one(original: Any) -> Any:
    def __get__(self: Any, instance: Any, cls: Any = None) -> Any:  # noqa: N807 - the descriptor's own name
        if instance is None or instance.pk is None or self.related.is_cached(instance) or _fetches_peers(instance):
            return original(self, instance, cls)
        name = self.related.accessor_name or self.related.get_accessor_name()
        return _load_one(instance, Link(name, joins=True), lambda: original(self, instance, cls))

    return __get__


def _generic(original: Any) -> Any:
    def __get__(self: Any, instance: Any, cls: Any = None) -> Any:  # noqa: N807
        if instance is None or self.is_cached(instance) or _fetches_peers(instance):
            return original(self, instance, cls)
        type_field = self.model._meta.get_field(self.ct_field)
        if getattr(instance, type_field.attname) is None:
            return original(self, instance, cls)
        return _load_one(instance, Link(self.name, joins=False), lambda: original(self, instance, cls))

    return __get__


def _load_one(instance: Model, link: Link, load: Callable[[], Any]) -> Any:
    listener = _heard()
    if listener is None:
        return load()
    listener.loads(instance, link)
    row = load()
    listener.loaded(instance, link, row)
    return row


def _manager(original: Any) -> Any:
    def __get__(self: Any, instance: Any, cls: Any = None) -> Any:  # noqa: N807
        manager = original(self, instance, cls)
        if instance is None or _heard() is None:
            return manager
        narrow = manager._apply_rel_filters

        def filtered(queryset: Any) -> Any:
            found = narrow(queryset)
            link = Link(_accessor(self), joins=False)
            setattr(found, _ORIGIN, Origin(instance, link, len(found.query.where.children)))
            return found

        manager._apply_rel_filters = filtered
        return manager

    return __get__


def _accessor(descriptor: Any) -> str:
    """The attribute's name: of a reverse foreign key, of either end of a many-to-many, of a generic relation."""
    rel = descriptor.rel
    forward = not getattr(descriptor, "reverse", True) or not hasattr(rel, "get_accessor_name") or rel.hidden
    return str(rel.field.name if forward else rel.get_accessor_name())


def _clone(original: Any) -> Any:
    def clone(self: Any) -> Any:
        made = original(self)
        if _ORIGIN in self.__dict__:
            setattr(made, _ORIGIN, self.__dict__[_ORIGIN])
        return made

    return clone


def _asks(original: Any) -> Any:
    """A method of a queryset that sends its query, unless it has its rows."""

    def asks(self: Any, *args: Any, **options: Any) -> Any:
        origin = self.__dict__.get(_ORIGIN)
        if origin is not None and self._result_cache is None:
            listener = _heard()
            if listener is not None:
                listener.loads(origin.instance, _narrowed(self, origin))
        return original(self, *args, **options)

    return asks


def _narrowed(queryset: Any, origin: Origin) -> Link:
    asked = queryset.query
    if len(asked.where.children) == origin.conditions and not asked.is_sliced:
        return origin.link
    return Link(origin.link.name, joins=False, narrowed=True)


def _rows(original: Any) -> Any:
    def rows(self: Any) -> Any:
        listener = _heard()
        found = original(self)
        return found if listener is None else listener.rows(self.queryset, found)

    return rows


def _prefetch(original: Any) -> Any:
    def prefetch(instances: list[Model], prefetcher: Any, lookup: Any, level: int) -> Any:
        found = original(instances, prefetcher, lookup, level)
        listener = _heard()
        if listener is not None:
            name = lookup.get_current_prefetch_to(level).rpartition("__")[2]
            listener.prefetched(instances, Link(name, joins=False), found[0])
        return found

    return prefetch


_HOOKS: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (related.ForwardManyToOneDescriptor, "get_object", _forward),
    (related.ReverseOneToOneDescriptor, "__get__", _reverse_one),
    (related.ReverseManyToOneDescriptor, "__get__", _manager),
    (QuerySet, "_clone", _clone),
    (QuerySet, "_fetch_all", _asks),
    (QuerySet, "count", _asks),
    (QuerySet, "exists", _asks),
    (QuerySet, "iterator", _asks),
    (query.ModelIterable, "__iter__", _rows),
    (query, "prefetch_one_level", _prefetch),
)


def _generic_hooks() -> tuple[tuple[Any, str, Callable[[Any], Any]], ...]:
    """Of generic relations, where the project has them: without its application the module cannot be imported."""
    if not apps.is_installed("django.contrib.contenttypes"):
        return ()
    from django.contrib.contenttypes.fields import GenericForeignKey

    return ((GenericForeignKey, "__get__", _generic),)
