"""``ModelViewSet``: a model's list, detail and writes, with hooks for what varies per request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from plectrum.errors import ConfigurationError, NotFound, PlanError, line_of
from plectrum.filtering import apply_ordering
from plectrum.filters import FilterSet, read_filters
from plectrum.guards import check_object
from plectrum.listing import Listing
from plectrum.openapi import ANSWERS
from plectrum.pagination import CursorPage, PageNumber, Pagination
from plectrum.params import Body, Path
from plectrum.resources.inputs import Inputs, make_inputs
from plectrum.resources.reading import base_rows, lookup_of
from plectrum.resources.store import Store
from plectrum.resources.writing import Writer
from plectrum.returns import COUNTED, ROWS
from plectrum.synthetic import keyword

from .base import configure, handler_of
from .sets import ViewSet

__all__ = ["ModelViewSet"]

#: How an action may refuse, for OpenAPI.
_ANSWERS = {"create": (409,), **dict.fromkeys(("update", "partial_update", "destroy"), (404, 409))}


class ModelViewSet(ViewSet):
    """A view set over a model. Reading returns querysets, which Rust executes; writing runs in the thread pool, in one
    transaction. ``actions`` names those that are wanted.

    Attributes:
        model: a Django model class.
        fields: names of the fields to show; all concrete ones where ``None``.
        write_fields: names of the fields that may be written; all editable ones where ``None``.
        nested: relations whose rows may be written as objects.
        filters, ordering, search, page: what the list may be asked for; see ``api.query.get``.

    Source: Django REST framework's ``ModelViewSet``.
    """

    model: ClassVar[Any] = None
    fields: ClassVar[Iterable[str] | None] = None
    write_fields: ClassVar[Iterable[str] | None] = None
    nested: ClassVar[Iterable[str]] = ()
    filters: ClassVar[Iterable[str] | Mapping[str, Any] | type[FilterSet]] = ()
    ordering: ClassVar[Iterable[str]] = ()
    search: ClassVar[Iterable[str]] = ()
    page: ClassVar[Pagination | None] = PageNumber()

    _listing: ClassVar[Listing]
    _writer: ClassVar[Writer]
    _lookup: ClassVar[tuple[str, str, Any]]

    # Hooks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def get_queryset(self) -> Any:
        """The rows this request may see. Called for every action, in async code for those that read."""
        return self.model._default_manager.all()

    def check_object(self, instance: Any) -> None:
        """Called with the row of a detail action before it is changed: asks the guards of the route. Raise
        ``Forbidden`` where it is not allowed.

        Parameters:
            instance: the row, locked.
        """
        if self.object_guards:
            from asgiref.sync import async_to_sync

            async_to_sync(check_object)(self.object_guards, self.request, instance)

    def perform_create(self, data: Mapping[str, Any]) -> Any:
        """Makes the row: ``return self.writer.create(data, owner=self.request.user)``.

        Parameters:
            data: the validated body; keys that were not sent are absent.
        """
        return self.writer.create(data)

    def perform_update(self, instance: Any, data: Mapping[str, Any]) -> Any:
        """Changes the row; parameters as the other hooks'."""
        return self.writer.update(instance, data)

    def perform_destroy(self, instance: Any) -> None:
        """Deletes the row."""
        self.writer.delete(instance)

    # For hooks and actions ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def writer(self) -> Writer:
        """Writes rows as Django does; see :class:`plectrum.resources.writing.Writer`."""
        return self._writer

    def get_object(self, key: Any) -> Any:
        """The row of a key, locked and allowed, in sync code.

        Errors:
            NotFound: there is none among this request's rows.
        """
        instance = self._store.found(key)
        self.check_object(instance)
        return instance

    def shown(self, instance: Any) -> Any:
        """The answer that shows a row as the detail action does."""
        return self._store.shown(instance)

    @property
    def _store(self) -> Store:
        return Store(self._writer, self._rows, self._lookup, narrowed=True)

    def _rows(self) -> Any:
        return base_rows(self.model, self.get_queryset, self.fields)()

    # Actions ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def list(self, **values: Any) -> Any:
        """List."""
        listing = self._listing
        present = [name for name in listing.optional if values[name] is not None]
        rows = listing.narrow(self._rows(), present, values.get("ordering"), values)
        if isinstance(listing.page, CursorPage):
            return listing.continued(rows, values, _scope(type(self)))
        return listing.paged(rows, values)

    async def retrieve(self, **values: Any) -> Any:
        """Get one."""
        from plectrum.orm import One

        one: Any = One
        field, name, _ = self._lookup
        rows = self._rows().order_by().filter(**{field: values[name]})
        if self.object_guards:
            instance = await rows.afirst()
            if instance is None:
                raise NotFound
            await check_object(self.object_guards, self.request, instance)
        return one(rows)

    @configure(sync=True)
    def create(self, **values: Any) -> Any:
        """Create one."""
        with self._writer.transaction():
            return self.shown(self.perform_create(values["data"]))

    @configure(sync=True)
    def update(self, **values: Any) -> Any:
        """Replace one."""
        return self._changed(**values)

    @configure(sync=True)
    def partial_update(self, **values: Any) -> Any:
        """Change one."""
        return self._changed(**values)

    def _changed(self, **values: Any) -> Any:
        with self._writer.transaction():
            return self.shown(self.perform_update(self.get_object(values[self._lookup[1]]), values["data"]))

    @configure(sync=True)
    def destroy(self, **values: Any) -> None:
        """Delete one."""
        with self._writer.transaction(("path",)):
            self.perform_destroy(self.get_object(values[self._lookup[1]]))

    # Registration ────────────────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def prepare(cls) -> None:
        """Reads the declaration.

        Errors:
            ConfigurationError: there is no model, or a field, filter or relation of it is unknown.
        """
        if not hasattr(cls.model, "_meta"):
            raise ConfigurationError(f"{line_of(cls)}: {cls.__qualname__} needs model = a Django model class.")
        where = line_of(cls)
        inputs: Inputs = make_inputs(cls.model, cls.write_fields, cls.nested, where, prefix=_prefix(cls))
        cls._writer = Writer(inputs)
        cls._listing = Listing(read_filters(cls.filters), tuple(cls.ordering), tuple(cls.search), cls.page)
        if isinstance(cls.page, CursorPage):
            _check_orders(cls, where)
        field, _, annotation = lookup_of(cls.model, cls.lookup_field, where)
        cls._lookup = (field, cls.path_name(), annotation)

    @classmethod
    def handler(cls, action: str) -> Callable[..., Any]:
        """The handler of an action; that of an inherited one has the model's types."""
        if getattr(cls, action) is not getattr(ModelViewSet, action, None):
            return handler_of(cls, action)
        made = handler_of(cls, action, _parameters_of(cls, action), _returns_of(cls, action))
        words = "list" if action == "list" else f"{action.replace('_', ' ')} one of"
        made.__doc__ = f"{words.capitalize()} {cls.model._meta.verbose_name_plural}."
        setattr(made, ROWS, base_rows(cls.model, None, cls.fields))
        setattr(made, COUNTED, getattr(cls.page, "count", True))
        if action in _ANSWERS:
            setattr(made, ANSWERS, _ANSWERS[action])
        return made


def _parameters_of(cls: type[ModelViewSet], action: str) -> Sequence[inspect.Parameter]:
    field, name, annotation = cls._lookup
    key = keyword(name, Annotated[annotation, Path(description=f"{field} of the row")])
    inputs = cls._writer.inputs
    match action:
        case "list":
            return [keyword(w.name, w.hint, w.default) for w in cls._listing.parameters(cls.model, cls)]
        case "create":
            return [keyword("data", Annotated[inputs.create, Body()])]
        case "update":
            return [key, keyword("data", Annotated[inputs.create, Body()])]
        case "partial_update":
            return [key, keyword("data", Annotated[inputs.patch, Body()])]
        case _:
            return [key]


def _returns_of(cls: type[ModelViewSet], action: str) -> Any:
    from plectrum.orm import Page
    from plectrum.orm.cursor import CursorRows

    if action == "destroy":
        return type(None)
    if action != "list":
        return cls.model
    many: Any = list if cls.page is None else CursorRows if isinstance(cls.page, CursorPage) else Page
    return many[cls.model]


def _scope(cls: type[ModelViewSet]) -> str:
    """Which list cursors are of, alike in every worker."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _check_orders(cls: type[ModelViewSet], where: str) -> None:
    """A cursor must be able to stand in every order the list may have: those of the class are known at the start."""
    from plectrum.orm.cursor import CursorRows

    rows = base_rows(cls.model, None, cls.fields)()
    try:
        for ordering in (None, *cls._listing.ordering):
            ordered = rows if ordering is None else apply_ordering(rows, ordering)
            _ = CursorRows[Any](ordered, 1, "cursor", "", "next").arguments
    except PlanError as error:
        raise ConfigurationError(f"{where}: {cls.__qualname__} has page = CursorPage(…). {error}") from error


def _prefix(cls: type[ModelViewSet]) -> str:
    """Types of one model are told apart by the view set they belong to."""
    name = cls.__name__.removesuffix("ViewSet")
    return "" if name == cls.model.__name__ else name
