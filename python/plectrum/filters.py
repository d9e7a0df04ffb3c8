"""``FilterSet``: the query parameters a list may be filtered by, typed from the model.

A list's ``filters=`` takes lookups (``["status", "price__lte"]``), names for them (``{"cheap": "price__lte"}``) or a
class::

    class ArticleFilters(FilterSet):
        status = Filter()
        cheaper_than = Filter("price__lt", description="Articles that cost less.")
        words = Filter(lambda rows, value: rows.filter(Q(title__icontains=value) | Q(body__icontains=value)), type=str)

        class Meta:
            fields = {"views": ["gte", "lte"], "tags__slug": ["in"]}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, cast

from .errors import ConfigurationError, line_of

__all__ = ["Filter", "FilterSet", "Filters", "read_filters"]


@dataclasses.dataclass(frozen=True)
class Filter:
    """One query parameter.

    Parameters:
        lookup: as in ``filter(**{lookup: value})``, or a function of the queryset and the value that gives a queryset;
            the parameter's name where absent.
        type: what the value is read as; follows from the model's field for a lookup, text for a function.
        exclude: keep the rows that do not match.
        description: for OpenAPI.
    """

    lookup: str | Callable[[Any, Any], Any] | None = None
    type: Any = None
    exclude: bool = dataclasses.field(default=False, kw_only=True)
    description: str | None = dataclasses.field(default=None, kw_only=True)


#: Name of a query parameter → its filter.
Filters = dict[str, Filter]


class FilterSet:
    """Base class of declared filters; see the module. ``Meta.fields`` is as in django-filter: field → lookups."""

    declared: ClassVar[Filters] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Filter)}
        listed = {name: Filter(lookup) for name, lookup in _listed(cls)}
        cls.declared = {**cls.declared, **listed, **own}


def _listed(cls: type) -> Iterator[tuple[str, str]]:
    fields: Any = getattr(vars(cls).get("Meta"), "fields", ())
    if isinstance(fields, str) or not isinstance(fields, Iterable):
        raise ConfigurationError(
            f"{line_of(cls)}: {cls.__qualname__}.Meta.fields is a mapping of fields to lookups, or a list of fields."
        )
    names = cast("Iterable[str]", fields)
    lookups: Mapping[str, Iterable[str]] = cast("Any", fields) if isinstance(fields, Mapping) else {}
    for field in names:
        for lookup in lookups.get(field, ("exact",)):
            path = field if lookup == "exact" else f"{field}__{lookup}"
            yield path, path


def read_filters(given: Iterable[str] | Mapping[str, Any] | type[FilterSet]) -> Filters:
    """The filters a ``filters=`` option declares, each with its lookup.

    Errors:
        ConfigurationError: it is none of the three forms.
    """
    if isinstance(given, type):
        declared: Any = getattr(given, "declared", None)
        if declared is None:
            raise ConfigurationError(f"{line_of(given)}: filters={given.__qualname__} is no FilterSet.")
        found = cast("Filters", declared)
    elif isinstance(given, Mapping):
        items = cast("Mapping[str, Any]", given).items()
        found = {name: item if isinstance(item, Filter) else Filter(item) for name, item in items}
    else:
        found = {name: Filter(name) for name in given}
    return {name: item if item.lookup else dataclasses.replace(item, lookup=name) for name, item in found.items()}
