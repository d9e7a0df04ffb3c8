"""What was found, and what to write instead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from plectrum import _core
from plectrum.errors import PlectrumError

from .groups import Group, Link
from .places import Place

__all__ = ["Finding", "NPlusOneError", "NPlusOneWarning", "finding", "tell_dashboard"]


class NPlusOneWarning(UserWarning):
    """A relation is loaded row by row."""


class NPlusOneError(PlectrumError):
    """A relation is loaded row by row, where that was forbidden."""


@dataclass(frozen=True)
class Finding:
    """A relation that is loaded row by row.

    Parameters:
        place: who asks: ``ArticleSerializer.author_name``, or ``file:line``.
        serializer: name of the serializer's class; ``None`` outside of one.
        field: the serializer's field.
        model: label of the model whose rows load it.
        relation: name of the relation.
        root: name of the model whose queryset should be changed.
        fix: the call to add to that queryset.
    """

    place: str
    serializer: str | None
    field: str | None
    model: str
    relation: str
    root: str
    fix: str

    def __str__(self) -> str:
        return (
            f"{self.place} loads {self.model}.{self.relation} row by row (N+1 queries). "
            f"Load it with the rows: {self.root}.objects.{self.fix}"
        )


def finding(group: Group, link: Link, place: Place) -> Finding:
    """Describes a load.

    Parameters:
        group: the rows that load it.
        link: the relation.
        place: who asked.
    """
    links = (*group.links, link)
    path = "__".join(step.name for step in links)
    if all(step.joins for step in links):
        fix = f'select_related("{path}")'
    elif link.narrowed:
        fix = f'prefetch_related(Prefetch("{path}", queryset=…, to_attr="…"))  # with the rows that are asked for'
    else:
        fix = f'prefetch_related("{path}")'
    return Finding(
        place.text,
        place.serializer,
        place.field,
        group.model._meta.label,
        link.name,
        group.root._meta.object_name or group.root.__name__,
        fix,
    )


def tell_dashboard(found: Finding) -> None:
    """Has the dashboard show what was found, where requests are observed."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    _core.note(json.dumps({"kind": "nplusone", "at": at, "place": found.place, "text": str(found)}))
