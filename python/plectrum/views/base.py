"""``View``: methods named after HTTP's, and how a method becomes a handler."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from plectrum._core import Request
from plectrum.errors import ConfigurationError, line_of
from plectrum.guards import Guard, object_guards

if TYPE_CHECKING:
    from plectrum.routing import Router

__all__ = ["View", "add_view", "configure", "guarded", "handler_of", "options_of"]

Handler = Callable[..., Any]
M = TypeVar("M", bound=Callable[..., Any])
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_OPTIONS = "__plectrum_route_options__"
_GUARDED = "__plectrum_guarded__"


class View:
    """Base class of views: each of ``get``, ``post``, ``put``, ``patch``, ``delete``, ``head`` and ``options`` that a
    subclass has is the handler of that method, with parameters as any handler's.

    Attributes:
        route_options: options of all its routes; see :class:`plectrum.routing.Options`.
        request: the request that is answered.
        action: name of the method that answers it.
        object_guards: those of the route's guards that look at objects, for :func:`plectrum.guards.check_object`.

    Source: Django's ``View``, Django REST framework's ``APIView``.
    """

    route_options: ClassVar[Mapping[str, Any]] = {}
    request: Request
    action: str
    object_guards: Sequence[Guard] = ()


def configure(**options: Any) -> Callable[[M], M]:
    """Sets options of one method's route: ``@configure(status=202, sync=True)``.

    Parameters:
        options: see :class:`plectrum.routing.Options`; they win over the class's ``route_options``.
    """

    def mark(method: M) -> M:
        setattr(method, _OPTIONS, {**getattr(method, _OPTIONS, {}), **options})
        return method

    return mark


def options_of(cls: type[View], method: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """A method's route options: those of its registration, of its class and its own, later ones first."""
    return {**given, **cls.route_options, **getattr(method, _OPTIONS, {})}


def add_view(router: Router, path: str, cls: Any, options: Mapping[str, Any]) -> None:
    """Registers every method of a view.

    Errors:
        ConfigurationError: the class is no view, or has no such method.
    """
    if not isinstance(cls, type) or not issubclass(cls, View):
        raise ConfigurationError(f"api.view() takes a subclass of plectrum.views.View, not {cls!r}.")
    found = [name for name in _METHODS if hasattr(cls, name)]
    if not found:
        raise ConfigurationError(f"{line_of(cls)}: {cls.__qualname__} has none of {', '.join(_METHODS)}.")
    for name in found:
        method = getattr(cls, name)
        router.route(path, methods=[name], **options_of(cls, method, options))(handler_of(cls, name))


def handler_of(
    cls: type[View], action: str, parameters: Sequence[inspect.Parameter] | None = None, returns: Any = None
) -> Callable[..., Any]:
    """A handler that makes an instance and calls its method.

    Parameters:
        cls: the view.
        action: name of the method.
        parameters: the method's, where it takes ``**values``; its own signature's where absent.
        returns: what it returns; its own annotation where absent.
    """
    method = getattr(cls, action)
    if parameters is None:
        parameters = list(inspect.signature(method).parameters.values())[1:]
    asked = next((p.name for p in parameters if p.name == "request" or p.annotation in (Request, "Request")), None)
    taken = [p if p.kind is p.VAR_KEYWORD else p.replace(kind=p.KEYWORD_ONLY) for p in parameters if p.name != asked]

    def view_of(request: Request, values: dict[str, Any], guards: Sequence[Guard]) -> View:
        view = cls()
        view.request, view.action, view.object_guards = request, action, guards
        if asked is not None:
            values[asked] = request
        return view

    made = _like(_calling(method, view_of, ()), method, cls, taken, returns)
    setattr(made, _GUARDED, functools.partial(_calling, method, view_of))
    return made


def guarded(handler: Handler, guards: Any) -> Handler:
    """The handler of a route, told which guards the route has; one that is no view's stays what it is."""
    make = getattr(handler, _GUARDED, None)
    return handler if make is None else cast("Handler", make(object_guards(guards)))


def _calling(method: Any, view_of: Callable[..., View], guards: Sequence[Guard]) -> Any:
    """Calls ``method`` of a new view, as the coroutine function or plain one that it is."""
    if inspect.iscoroutinefunction(method):

        async def made_async(request: Request, /, **values: Any) -> Any:
            return await method(view_of(request, values, guards), **values)

        return made_async

    def made_sync(request: Request, /, **values: Any) -> Any:
        return method(view_of(request, values, guards), **values)

    return made_sync


def _like(made: Any, method: Any, cls: type[View], parameters: Sequence[inspect.Parameter], answer: Any) -> Handler:
    """``made``, read as ``method`` would be."""
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    own = {p.name: p.annotation for p in parameters if p.annotation is not p.empty}
    answer = method.__annotations__.get("return") if answer is None else answer
    returns = {} if answer is None else {"return": answer}
    made.__wrapped__ = method
    made.__name__ = f"{_snake(cls.__name__)}_{method.__name__}"
    made.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
    made.__module__ = cls.__module__
    made.__doc__ = method.__doc__
    made.__annotations__ = {"request": Request, **own, **returns}
    made.__signature__ = inspect.Signature([request, *parameters])
    return cast("Handler", made)


def _snake(name: str) -> str:
    from plectrum.naming import to_snake

    return to_snake(name)
