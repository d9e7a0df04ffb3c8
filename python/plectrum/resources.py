"""``api.resource``: list and detail routes of a Django model, answered by Rust alone."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from .errors import DECLARED_AT, ConfigurationError, line_of_caller
from .filtering import lookup_type
from .pagination import PageNumber, Pagination
from .params import Path
from .routing import Router

__all__ = ["add_resource"]

_ACTIONS = ("list", "detail")


def add_resource(
    router: Router,
    model: Any,
    path: str | None = None,
    *,
    actions: Iterable[str] = _ACTIONS,
    queryset: Callable[[], Any] | None = None,
    fields: Iterable[str] | None = None,
    filters: Iterable[str] | dict[str, str] = (),
    ordering: Iterable[str] = (),
    search: Iterable[str] = (),
    page: Pagination | None = PageNumber(),  # noqa: B008 - frozen
    lookup: str = "pk",
    tags: Iterable[str] | None = None,
) -> None:
    """Registers ``GET path`` (a filtered, ordered, paged list) and ``GET path/{lookup}`` (one row, or 404).

    Parameters:
        router: where the routes go.
        model: a Django model class.
        path: such as ``"/articles"``; made from the model's plural name where absent.
        actions: which of ``list`` and ``detail``.
        queryset: called once at start-up for the base queryset; the default manager's ``all()`` where absent.
        fields: names of the fields to show; all concrete fields where absent.
        filters, ordering, search, page: as for ``api.query.get``.
        lookup: unique field the detail route finds a row by.
        tags: OpenAPI tags; the model's plural name where absent.

    Errors:
        ConfigurationError: an unknown action, field or lookup.
    """
    where = line_of_caller()
    _check(model, actions, fields, where)
    plural = re.sub(r"[^a-z0-9]+", "-", str(model._meta.verbose_name_plural).lower()).strip("-")
    path = path or f"/{plural}"
    singular = model._meta.model_name
    base = _base(model, queryset, fields)
    setattr(base, DECLARED_AT, where)
    options: dict[str, Any] = {"tags": tuple(tags) if tags is not None else (plural,)}
    if "list" in actions:
        listing = _named(base, f"{singular}_list", model, f"List {plural}.")
        router.query.get(path, filters=filters, ordering=ordering, search=search, page=page, **options)(listing)
    if "detail" in actions:
        detail = _detail(model, base, lookup, f"{singular}_detail")
        router.query.get(f"{path}/{{{_path_name(lookup)}}}", **options)(detail)


def _check(model: Any, actions: Iterable[str], fields: Iterable[str] | None, where: str) -> None:
    if not hasattr(model, "_meta"):
        raise ConfigurationError(f"{where}: api.resource() takes a Django model class, not {model!r}.")
    for action in actions:
        if action not in _ACTIONS:
            raise ConfigurationError(
                f"{where}: api.resource({model.__name__}) has no action {action!r}. Choose from: {', '.join(_ACTIONS)}."
            )
    known = [field.name for field in model._meta.get_fields()]
    for name in fields or ():
        if name != "pk" and name.partition("__")[0] not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {', '.join(known)}."
            raise ConfigurationError(f"{where}: {model.__name__} has no field {name!r}. {hint}")


def _base(model: Any, queryset: Callable[[], Any] | None, fields: Iterable[str] | None) -> Callable[[], Any]:
    def base() -> Any:
        rows = queryset() if queryset else model._default_manager.all()
        if not rows.query.order_by and not (rows.query.default_ordering and model._meta.ordering):
            rows = rows.order_by("pk")
        return rows.only(*fields) if fields is not None else rows

    return base


def _detail(model: Any, base: Callable[[], Any], lookup: str, name: str) -> Callable[..., Any]:
    from .orm import One

    one: Any = One
    key = _path_name(lookup)

    def detail(**values: Any) -> Any:
        return one(base().order_by().filter(**{lookup: values[key]}))

    setattr(detail, DECLARED_AT, getattr(base, DECLARED_AT))
    annotation = lookup_type(model, lookup, detail, "lookup=")
    detail = _named(detail, name, model, f"Get one of {model._meta.verbose_name_plural}.")
    parameters = {key: (annotation, Path(description=f"{lookup} of the row"))}
    return _with_signature(detail, parameters)


def _path_name(lookup: str) -> str:
    return "id" if lookup == "pk" else lookup


def _named(function: Callable[..., Any], name: str, model: Any, doc: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    function.__module__ = model.__module__
    return function


def _with_signature(function: Callable[..., Any], parameters: dict[str, tuple[Any, Path]]) -> Callable[..., Any]:
    """Gives a ``**values`` function named parameters, so that it is read like a handwritten one."""
    import inspect
    from typing import Annotated

    annotations = {name: Annotated[annotation, marker] for name, (annotation, marker) in parameters.items()}
    function.__annotations__ = annotations
    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
            for name, annotation in annotations.items()
        ]
    )
    return function
