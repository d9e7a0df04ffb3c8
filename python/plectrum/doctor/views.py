"""DRF's views, found through the URLconf (and so through routers)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, cast

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.views import APIView

from .indexes import missing
from .report import Issue, ViewReport
from .serializers import is_projects, name_of

__all__ = ["examine", "views"]


def views(package: str | None) -> Iterator[tuple[str, type[Any]]]:
    """Path and class of every DRF view of the project that can be reached, each class once.

    Parameters:
        package: only those in it; ``None`` for all.
    """
    seen: set[type[Any]] = set()
    for path, callback in _patterns(get_resolver().url_patterns, "/"):
        kind = getattr(callback, "cls", None)
        if inspect.isclass(kind) and issubclass(kind, APIView) and kind not in seen and is_projects(kind, package):
            seen.add(kind)
            yield path, kind


def examine(package: str | None, issues: list[Issue]) -> list[ViewReport]:
    """The views; what is worth a look is added to ``issues``."""
    found: list[ViewReport] = []
    for path, kind in views(package):
        serializer: Any = getattr(kind, "serializer_class", None)
        found.append(ViewReport(name_of(kind), path, name_of(serializer) if serializer is not None else None))
        if issubclass(kind, GenericAPIView):
            issues += _issues(cast("Any", kind))
    return found


def _issues(kind: Any) -> Iterator[Issue]:
    where = name_of(kind)
    if ListModelMixin in kind.__mro__ and kind.pagination_class is None:
        yield Issue(
            "list", "warning", where, "the list has no pages: one request reads the whole table",
            "pagination_class, or REST_FRAMEWORK['DEFAULT_PAGINATION_CLASS'] and PAGE_SIZE",
        )  # fmt: skip
    model = getattr(kind.queryset, "model", None)
    if model is None:
        return
    for backend in kind.filter_backends:
        if issubclass(backend, SearchFilter):
            yield from missing(model, _searched(kind), "search", where)
        elif issubclass(backend, OrderingFilter):
            yield from missing(model, _listed(getattr(kind, "ordering_fields", None)), "ordering", where)
    yield from missing(model, _filtered(kind), "filter", where)


def _searched(kind: Any) -> list[str]:
    """Fields that are searched within; ``^`` and ``=`` ask for another comparison, ``@`` for full text."""
    names: tuple[str, ...] = tuple(getattr(kind, "search_fields", None) or ())
    return [name.lstrip("$") for name in names if name[:1] not in "^=@"]


def _filtered(kind: Any) -> list[str]:
    """Lookups of django-filter."""
    fields: Any = getattr(kind, "filterset_fields", None)
    made: Any = getattr(kind, "filterset_class", None)
    if made is not None:
        filters: dict[str, Any] = made.base_filters
        return [f"{item.field_name}__{item.lookup_expr}" for item in filters.values() if item.field_name]
    if isinstance(fields, dict):
        lookups = cast("dict[str, list[str]]", fields)
        return [f"{name}__{lookup}" for name, chosen in lookups.items() for lookup in chosen]
    return _listed(fields)


def _listed(names: object) -> list[str]:
    """Names of fields; none where it is ``"__all__"`` or not given."""
    return list(cast("list[str]", names)) if isinstance(names, (list, tuple)) else []


def _patterns(patterns: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback
