"""Watching: what is loaded row by row within a block, or in the whole process."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from django.db.models import Model, QuerySet

from . import hooks
from .findings import Finding, NPlusOneError, NPlusOneWarning, finding, tell_dashboard
from .groups import Group, Groups, Link
from .places import find_place

__all__ = ["Detector", "detect_nplusone", "install", "uninstall"]

_within: ContextVar[Detector | None] = ContextVar("plectrum.nplusone", default=None)
_everywhere: list[Detector] = []


class Detector:
    """Hears of every load while it watches.

    Parameters:
        raises: raise :class:`NPlusOneError` instead of warning.

    ``findings`` lists what was found, each place once.
    """

    def __init__(self, *, raises: bool = False) -> None:
        self.raises = raises
        self.findings: list[Finding] = []
        self._groups = Groups()
        self._told: set[tuple[str, str, str]] = set()

    def loads(self, instance: Model, link: Link) -> None:
        """A row is about to load a relation by a query of its own.

        Errors:
            NPlusOneError: another row of its group did the same, and ``raises`` is set.
        """
        group = self._groups.of(instance)
        if group is None or not group.load(link.name, instance):
            return
        place = find_place([*(step.name for step in group.links), link.name])
        key = (place.text, group.model._meta.label, link.name)
        if key in self._told:
            return
        found = finding(group, link, place)
        if self.raises:
            raise NPlusOneError(str(found))
        self._told.add(key)
        self.findings.append(found)
        tell_dashboard(found)
        warnings.warn(NPlusOneWarning(str(found)), stacklevel=4)

    def loaded(self, instance: Model, link: Link, row: Any) -> None:
        """The row that was loaded belongs below the one that loaded it."""
        group = self._groups.of(instance)
        if group is not None and isinstance(row, Model):
            self._groups.put(row, group.child(link, type(row)))

    def rows(self, queryset: QuerySet[Any, Any], rows: Iterable[Any]) -> Iterator[Any]:
        """Passes the rows of a queryset on; they form a group."""
        origin = hooks.origin_of(queryset)
        above = None if origin is None else self._groups.of(origin.instance)
        model = queryset.model
        group = Group(model) if origin is None or above is None else above.child(origin.link, model)
        for row in rows:
            if isinstance(row, Model):
                self._groups.put(row, group)
            yield row

    def prefetched(self, instances: list[Model], link: Link, rows: list[Model]) -> None:
        """Rows were fetched for all of ``instances`` together."""
        self._groups.adopt(instances, link, rows)


def _current() -> Detector | None:
    return _within.get() or (_everywhere[0] if _everywhere else None)


@contextlib.contextmanager
def detect_nplusone(*, raises: bool = False) -> Generator[Detector]:
    """Watches a block of code, in the threads and tasks it starts too.

    Parameters:
        raises: raise :class:`NPlusOneError` at the second row that loads a relation, for tests; otherwise a
            :class:`NPlusOneWarning` tells of each place once.

    Returns:
        The detector; ``findings`` lists what was found.
    """
    detector = Detector(raises=raises)
    token = _within.set(detector)
    hooks.install(_current)
    try:
        yield detector
    finally:
        hooks.uninstall()
        _within.reset(token)


def install(*, raises: bool = False) -> None:
    """Watches the whole process from now on; what ``PLECTRUM = {"NPLUSONE": …}`` does.

    Parameters:
        raises: as for :func:`detect_nplusone`.
    """
    if _everywhere:
        _everywhere[0].raises = raises
        return
    _everywhere.append(Detector(raises=raises))
    hooks.install(_current)


def uninstall() -> None:
    """Ends what :func:`install` began."""
    if _everywhere:
        _everywhere.clear()
        hooks.uninstall()
