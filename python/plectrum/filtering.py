"""Declared filters, search and ordering, applied to a queryset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .columns import python_type
from .errors import ConfigurationError, line_of
from .filters import Filter

__all__ = ["apply_filters", "apply_ordering", "apply_search", "lookup_type", "value_type_of"]

#: Lookups whose right-hand side has a type of its own, whatever the field.
_LOOKUP_TYPES: dict[str, Any] = {
    "isnull": bool,
    **dict.fromkeys(
        ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex", "iregex"),
        str,
    ),
}


def lookup_type(model: Any, lookup: str, handler: Any, option: str = "filters=") -> Any:
    """The Python type a filter's value is read as, from the model's field and the lookup.

    Parameters:
        model: the queryset's model.
        lookup: as in ``filter(**{lookup: …})``, for example ``"author__name__icontains"``.
        handler: the query function, to name its line.
        option: where the user wrote the lookup.

    Errors:
        ConfigurationError: no such field or lookup.
    """
    from django.core.exceptions import FieldError
    from django.db.models.sql import Query

    query = Query(model)
    try:
        parts, path, _ = query.solve_lookup_type(lookup)
        _, field, targets, rest = query.names_to_path(path, model._meta, fail_on_missing=True)
    except FieldError as error:
        raise ConfigurationError(f"{line_of(handler)}: {option} names {lookup!r}: {error}") from error
    target = targets[0] if field.is_relation else field
    while getattr(target, "remote_field", None) and hasattr(target, "target_field"):
        target = target.target_field
    return _type_of(target, [*rest, *parts], lookup, handler, option)


def _type_of(field: Any, parts: list[str], lookup: str, handler: Any, option: str) -> Any:
    current: Any = field
    for part in parts:
        if part in ("in", "range"):
            return list[_field_type(current, lookup, handler, option)]  # type: ignore[misc]
        if part in _LOOKUP_TYPES:
            return _LOOKUP_TYPES[part]
        transform = current.get_transform(part)
        if transform is not None:
            current = transform(field).output_field
        elif current.get_lookup(part) is None:
            raise ConfigurationError(
                f"{line_of(handler)}: {option} names {lookup!r}, but {type(current).__name__} has no lookup {part!r}."
            )
        elif part in ("year", "month", "day"):
            return int
    return _field_type(current, lookup, handler, option)


def _field_type(field: Any, lookup: str, handler: Any, option: str) -> Any:
    found = value_type_of(field)
    if found is None:
        raise ConfigurationError(
            f"{line_of(handler)}: {option} names {lookup!r}, but a {type(field).__name__} cannot be read from a query "
            "string. Filter on another field, or write the filter in an async handler."
        )
    return found


def value_type_of(field: Any) -> Any:
    """The Python type of a plain field's values, as a request's text is read; ``None`` where it has none."""
    found = python_type(field)
    return None if found is bytes else found


def apply_filters(queryset: Any, given: Sequence[tuple[Filter, Any]]) -> Any:
    """The rows that every filter keeps."""
    plain = {item.lookup: value for item, value in given if isinstance(item.lookup, str) and not item.exclude}
    queryset = _filtered(queryset, plain) if plain else queryset
    for item, value in given:
        if callable(item.lookup):
            queryset = item.lookup(queryset, value)
        elif item.exclude:
            queryset = queryset.exclude(**{str(item.lookup): value})
    return queryset


def _filtered(queryset: Any, values: dict[str, Any]) -> Any:
    """``filter()`` with every lookup; a row that matches through several related rows is still one row."""
    single = {lookup: value for lookup, value in values.items() if not _multiplies(queryset.model, lookup)}
    queryset = queryset.filter(**single)
    if len(single) == len(values):
        return queryset
    several = {lookup: value for lookup, value in values.items() if lookup not in single}
    return queryset.filter(pk__in=queryset.model._base_manager.filter(**several).values("pk"))


def _multiplies(model: Any, lookup: str) -> bool:
    """Whether a lookup can match one row several times: its path has a to-many relation and may match many there."""
    from django.core.exceptions import FieldDoesNotExist

    options = model._meta
    for name in lookup.split("__"):
        try:
            field = options.pk if name == "pk" else options.get_field(name)
        except FieldDoesNotExist:
            return False
        if not field.is_relation:
            return False
        if field.one_to_many or field.many_to_many:
            return True
        options = field.related_model._meta
    return False


def apply_search(queryset: Any, fields: Iterable[str], value: Any) -> Any:
    """Rows in which any of the fields contains the text, in any case."""
    from django.db.models import Q

    wanted = Q()
    for field in fields:
        wanted |= Q(**{f"{field}__icontains": value})
    if any(_multiplies(queryset.model, field) for field in fields):
        return queryset.filter(pk__in=queryset.model._base_manager.filter(wanted).values("pk"))
    return queryset.filter(wanted)


def apply_ordering(queryset: Any, field: str) -> Any:
    """The chosen order; the primary key decides among equals, so that pages are stable."""
    tail = "-pk" if field.startswith("-") else "pk"
    return queryset.order_by(field, tail)
