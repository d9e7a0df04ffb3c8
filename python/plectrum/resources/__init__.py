"""``api.resource``: the routes of a Django model. Reading is native (Rust alone), writing is Django's own.

``reading`` makes the list and the detail; ``routes`` what writes: ``inputs`` types the bodies (``fields``), ``writing``
writes them, ``violations`` tells what was refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from plectrum.errors import ConfigurationError, line_of_caller
from plectrum.pagination import PageNumber, Pagination

if TYPE_CHECKING:
    from plectrum.routing import Router

__all__ = ["add_resource"]

_READS = ("list", "retrieve")
_WRITES = ("create", "update", "partial_update", "delete", "bulk_create", "bulk_update", "bulk_delete")
_ALIASES = {"detail": "retrieve"}


def add_resource(
    router: Router,
    model: Any,
    path: str | None = None,
    *,
    actions: Iterable[str] = _READS,
    queryset: Callable[[], Any] | None = None,
    fields: Iterable[str] | None = None,
    write_fields: Iterable[str] | None = None,
    nested: Iterable[str] = (),
    filters: Iterable[str] | dict[str, str] = (),
    ordering: Iterable[str] = (),
    search: Iterable[str] = (),
    page: Pagination | None = PageNumber(),  # noqa: B008 - frozen
    lookup: str = "pk",
    max_bulk: int = 1000,
    tags: Iterable[str] | None = None,
    **options: Any,
) -> None:
    """Registers routes of a model.

    ``list`` is ``GET path`` (filtered, ordered, paged), ``retrieve`` ``GET path/{lookup}``, ``create`` ``POST path``,
    ``update``, ``partial_update`` and ``delete`` ``PUT``, ``PATCH`` and ``DELETE path/{lookup}``, ``bulk_create``,
    ``bulk_update`` and ``bulk_delete`` ``POST``, ``PATCH`` and ``DELETE path/bulk``.

    Parameters:
        router: where the routes go.
        model: a Django model class.
        path: such as ``"/articles"``; made from the model's plural name where absent.
        actions: which of the above.
        queryset: makes the base queryset: called at start-up for reads, per request for writes. All rows where absent.
        fields: names of the fields to show; all concrete fields where absent.
        write_fields: names of the fields that may be written; all editable ones where absent.
        nested: relations whose rows may be written as objects, in the body of the row they belong to.
        filters, ordering, search, page: as for ``api.query.get``.
        lookup: unique field a row is found by.
        max_bulk: rows of a bulk request at most.
        tags: OpenAPI tags; the model's plural name where absent.
        options: of every route; see :class:`plectrum.routing.Options`.

    Errors:
        ConfigurationError: an unknown action, field, relation or lookup.
    """
    from .reading import base_rows, detail_function, list_function, lookup_of, plural_of

    where = line_of_caller()
    chosen = [_ALIASES.get(action, action) for action in actions]
    fields = None if fields is None else tuple(fields)
    _check(model, chosen, fields, where)
    plural = plural_of(model)
    path = path or f"/{plural}"
    rows = base_rows(model, queryset, fields)
    found_by = lookup_of(model, lookup, where)
    options["tags"] = tuple(tags) if tags is not None else (plural,)
    if "list" in chosen:
        listing = list_function(model, rows, where)
        router.query.get(path, filters=filters, ordering=ordering, search=search, page=page, **options)(listing)
    if "retrieve" in chosen:
        router.query.get(f"{path}/{{{found_by[1]}}}", **options)(detail_function(model, rows, found_by, where))
    writes = [action for action in chosen if action in _WRITES]
    if writes:
        from .inputs import make_inputs
        from .routes import Writes
        from .store import Store
        from .writing import Writer

        writer = Writer(make_inputs(model, write_fields, nested, where))
        made = Writes(Store(writer, rows, found_by, queryset is not None), max_bulk, where)
        _add_writes(router, path, made, writes, options)


def _add_writes(router: Router, path: str, made: Any, actions: Sequence[str], options: dict[str, Any]) -> None:
    from .routes import ACTIONS, BULK

    _, name, _ = made.store.lookup
    for action in actions:
        if action in BULK:
            method, status = BULK[action]
            place = f"{path}/bulk"
        else:
            method, with_key, status = ACTIONS[action]
            place = f"{path}/{{{name}}}" if with_key else path
        router.route(place, methods=[method], status=status, sync=True, **options)(made.handler(action))


def _check(model: Any, actions: Sequence[str], fields: Sequence[str] | None, where: str) -> None:
    if not hasattr(model, "_meta"):
        raise ConfigurationError(f"{where}: api.resource() takes a Django model class, not {model!r}.")
    for action in actions:
        if action not in (*_READS, *_WRITES):
            raise ConfigurationError(
                f"{where}: api.resource({model.__name__}) has no action {action!r}. "
                f"Choose from: {', '.join((*_READS, *_WRITES))}."
            )
    known = [field.name for field in model._meta.get_fields()]
    for name in fields or ():
        if name != "pk" and name.partition("__")[0] not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {', '.join(known)}."
            raise ConfigurationError(f"{where}: {model.__name__} has no field {name!r}. {hint}")
