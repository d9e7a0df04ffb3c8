"""``ViewSet``: the handlers of one kind of thing, routed by their names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from plectrum.errors import ConfigurationError, line_of

from .base import View, configure, handler_of, options_of

if TYPE_CHECKING:
    from plectrum.routing import Router

__all__ = ["ViewSet", "action", "add_viewset"]

M = TypeVar("M", bound=Callable[..., Any])
_ACTION = "__plectrum_action__"

#: Method of the class → HTTP method, whether its path has a key, status of success.
_STANDARD: dict[str, tuple[str, bool, int]] = {
    "list": ("GET", False, 200),
    "create": ("POST", False, 201),
    "retrieve": ("GET", True, 200),
    "update": ("PUT", True, 200),
    "partial_update": ("PATCH", True, 200),
    "destroy": ("DELETE", True, 204),
}


class ViewSet(View):
    """Base class: ``list``, ``create``, ``retrieve``, ``update``, ``partial_update`` and ``destroy``, those a subclass
    has, and every method marked with :func:`action`.

    Attributes:
        actions: names of the standard actions it has; all that have a method where ``None``.
        lookup_field: what a row is found by; ``pk`` or the name of a field.
        lookup_name: name of the path's parameter; ``id`` for ``pk`` and the field's own otherwise.

    Source: Django REST framework's ``ViewSet``.
    """

    actions: ClassVar[Iterable[str] | None] = None
    lookup_field: ClassVar[str] = "pk"
    lookup_name: ClassVar[str | None] = None

    @classmethod
    def path_name(cls) -> str:
        """Name of the path's parameter."""
        return cls.lookup_name or ("id" if cls.lookup_field == "pk" else cls.lookup_field)

    @classmethod
    def handler(cls, action: str) -> Callable[..., Any]:
        """The handler of an action."""
        return handler_of(cls, action)

    @classmethod
    def prepare(cls) -> None:
        """Called once, when the class is registered."""


@dataclasses.dataclass(frozen=True)
class _Action:
    detail: bool
    methods: tuple[str, ...]
    path: str | None


def action(
    *, detail: bool, methods: Iterable[str] = ("GET",), path: str | None = None, **options: Any
) -> Callable[[M], M]:
    """Marks a method of a :class:`ViewSet` as a route of its own.

    Parameters:
        detail: whether its path has the row's key: ``/articles/{id}/publish`` or ``/articles/publish``.
        methods: HTTP methods.
        path: its piece of the path; the method's name with hyphens where absent.
        options: see :class:`plectrum.routing.Options`.

    Source: Django REST framework's ``@action``.
    """

    def mark(method: M) -> M:
        setattr(method, _ACTION, _Action(detail, tuple(name.upper() for name in methods), path))
        return configure(**options)(method)

    return mark


def add_viewset(router: Router, path: str, cls: Any, options: Mapping[str, Any]) -> None:
    """Registers every action of a view set.

    Errors:
        ConfigurationError: the class is no view set, or has no action.
    """
    if not isinstance(cls, type) or not issubclass(cls, ViewSet):
        raise ConfigurationError(f"api.viewset() takes a subclass of plectrum.views.ViewSet, not {cls!r}.")
    cls.prepare()
    extra = [name for name in dir(cls) if hasattr(getattr(cls, name), _ACTION)]
    standard = [name for name in _STANDARD if hasattr(cls, name) and name not in extra]
    if cls.actions is not None:
        for name in cls.actions:
            if name not in standard:
                raise ConfigurationError(f"{line_of(cls)}: {cls.__qualname__} has no action {name!r}.")
        standard = [name for name in standard if name in cls.actions]
    if not extra and not standard:
        raise ConfigurationError(
            f"{line_of(cls)}: {cls.__qualname__} has no action: none of {', '.join(_STANDARD)}, no method with @action."
        )
    one = f"{path}/{{{cls.path_name()}}}"
    # Actions before the row's own routes: their paths are the longer ones, and literal.
    for name in extra:
        method = getattr(cls, name)
        found: _Action = getattr(method, _ACTION)
        place = f"{one if found.detail else path}/{found.path or name.replace('_', '-')}"
        router.route(place, methods=found.methods, **options_of(cls, method, options))(cls.handler(name))
    for name in standard:
        verb, with_key, status = _STANDARD[name]
        given = options_of(cls, getattr(cls, name), {**options, "status": status})
        router.route(one if with_key else path, methods=[verb], **given)(cls.handler(name))
