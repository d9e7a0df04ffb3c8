"""The routes of a resource that read: native, answered by Rust alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from plectrum.errors import DECLARED_AT
from plectrum.filtering import lookup_type
from plectrum.guards import FINDS_ROW
from plectrum.params import Path
from plectrum.synthetic import Function, keyword, named, with_signature

__all__ = ["base_rows", "detail_function", "list_function", "lookup_of", "plural_of"]


def plural_of(model: Any) -> str:
    """The model's plural name as a piece of a path."""
    return re.sub(r"[^a-z0-9]+", "-", str(model._meta.verbose_name_plural).lower()).strip("-")


def base_rows(model: Any, queryset: Callable[[], Any] | None, fields: Iterable[str] | None) -> Callable[[], Any]:
    """The rows of a resource, in an order.

    Parameters:
        model: a Django model class.
        queryset: makes the base queryset; the default manager's ``all()`` where absent.
        fields: names of the fields to show.
    """

    def rows() -> Any:
        found = queryset() if queryset else model._default_manager.all()
        if not found.query.order_by and not (found.query.default_ordering and model._meta.ordering):
            found = found.order_by("pk")
        return found.only(*fields) if fields is not None else found

    return rows


def lookup_of(model: Any, lookup: str, where: str) -> tuple[str, str, Any]:
    """The field rows are found by, the name of its path parameter, its type."""

    def detail() -> None: ...

    setattr(detail, DECLARED_AT, where)
    return lookup, "id" if lookup == "pk" else lookup, lookup_type(model, lookup, detail, "lookup=")


def list_function(model: Any, rows: Callable[[], Any], where: str) -> Function:
    """The query function of the list."""

    def listing() -> Any:
        return rows()

    doc = f"List {plural_of(model)}."
    return named(listing, f"{model._meta.model_name}_list", module=model.__module__, doc=doc, where=where)


def detail_function(model: Any, rows: Callable[[], Any], lookup: tuple[str, str, Any], where: str) -> Function:
    """The query function of one row."""
    from plectrum.orm import One

    one: Any = One
    field, name, annotation = lookup

    def detail(**values: Any) -> Any:
        return one(rows().order_by().filter(**{field: values[name]}))

    doc = f"Get one of {model._meta.verbose_name_plural}."
    setattr(detail, FINDS_ROW, True)
    named(detail, f"{model._meta.model_name}_detail", module=model.__module__, doc=doc, where=where)
    return with_signature(detail, [keyword(name, Annotated[annotation, Path(description=f"{field} of the row")])])
