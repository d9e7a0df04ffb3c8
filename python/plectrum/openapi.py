"""What OpenAPI says of a route besides its types: its operation id, and how else it may answer.

The document itself is written in Rust (``crates/engine/src/openapi``), from the blueprint.
"""

from __future__ import annotations

import dataclasses
import http
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast, get_origin

from .errors import ConfigurationError, HTTPException, line_of
from .nodes import Node, Nodes

if TYPE_CHECKING:
    from .native import Planner
    from .returns import Returns
    from .routing import Handler, Route

__all__ = ["ANSWERS", "Answer", "Responses", "answers_of", "check_operation_ids", "check_responses", "operation_id"]

#: What ``responses=`` takes: statuses or exceptions, and what is said of each.
Responses = Iterable[int | type[HTTPException]] | Mapping[Any, Any]

#: Attribute of a handler that Plectrum made for the user: statuses it answers with besides its success.
ANSWERS = "__plectrum_answers__"

_TYPE = re.compile(r":[a-z]+\}")
_NOT_A_WORD = re.compile(r"[\W_]+")
_SENTENCES = {403: "Not permitted", 404: "There is no such thing", 409: "It is in conflict with what is there"}


@dataclasses.dataclass(frozen=True)
class Answer:
    """One more way a route may answer.

    Parameters:
        status: HTTP status.
        description: for people.
        schema: of its JSON; a problem document where ``None``.
    """

    status: int
    description: str
    schema: Node | None = None

    def describe(self) -> dict[str, Any]:
        """As the Rust side reads it."""
        return dataclasses.asdict(self)


def operation_id(route: Route) -> str:
    """The route's ``operation_id=``, or its name, path and method: not its position, so it stays as routes come."""
    if route.options.operation_id is not None:
        return route.options.operation_id
    words = [word for word in _NOT_A_WORD.split(_TYPE.sub("}", route.path)) if word]
    return "_".join([route.name, *words, route.method.lower()])


def check_operation_ids(routes: Iterable[Route]) -> None:
    """Client generators make a function of each id, so each may stand for one operation only.

    Errors:
        ConfigurationError: two routes have the same; names both places.
    """
    known: dict[str, Route] = {}
    for route in routes:
        if not route.options.include_in_schema:
            continue
        same = known.setdefault(operation_id(route), route)
        if same is not route and (same.method, same.path) != (route.method, route.path):
            raise ConfigurationError(
                f"{line_of(route.handler)}: {route.method} {route.path} has the operation id {operation_id(route)!r}, "
                f"which {same.method} {same.path} has already ({line_of(same.handler)}). Give one of them another "
                "name= or operation_id=."
            )


def check_responses(given: Responses, handler: Handler) -> None:
    """Refuses what is no answer.

    Errors:
        ConfigurationError: names the handler's line and the key.
    """
    for key in given:
        exception = inspect.isclass(key) and issubclass(key, HTTPException) and hasattr(key, "fixed_status")
        if not exception and not (isinstance(key, int) and 200 <= key <= 599):
            raise ConfigurationError(
                f"{line_of(handler)}: responses= takes statuses and exceptions such as NotFound, not {key!r}."
            )


def answers_of(route: Route, returns: Returns, planner: Planner | None, nodes: Nodes) -> tuple[Answer, ...]:
    """Every documented answer besides the success: those the route names, those its kind brings.

    Errors:
        SchemaError: a type that ``responses=`` names cannot be described.
    """
    found = {answer.status: answer for answer in _natural(route, returns, planner)}
    found |= {answer.status: answer for answer in _given(route, nodes)}
    return tuple(found[status] for status in sorted(found))


def _natural(route: Route, returns: Returns, planner: Planner | None) -> Iterator[Answer]:
    if planner is not None:
        (form,) = planner.base.response
        statuses: Iterable[int] = (404,) if form in ("one", "page") else ()
    else:
        statuses = getattr(route.handler, ANSWERS, (404,) if _may_be_nothing(returns) else ())
    return (Answer(status, _SENTENCES[status]) for status in statuses)


def _may_be_nothing(returns: Returns) -> bool:
    """Whether a handler answers with a row or a page, which there may not be."""
    if returns.way != "queryset":
        return False
    from django.db.models import Model

    from .orm import One, Page

    base: Any = get_origin(returns.annotation) or returns.annotation
    return isinstance(base, type) and issubclass(base, (One, Page, Model))


def _given(route: Route, nodes: Nodes) -> Iterator[Answer]:
    given = route.options.responses
    said = cast("Mapping[Any, Any]", given if isinstance(given, Mapping) else dict.fromkeys(given))
    for key, value in said.items():
        status = key if isinstance(key, int) else int(key.fixed_status)
        if value is None or isinstance(value, str):
            usual = None if isinstance(key, int) else key.default_detail
            yield Answer(status, value or usual or _SENTENCES.get(status) or http.HTTPStatus(status).phrase)
        else:
            where = f"{route.handler.__qualname__}(), responses[{status}]"
            yield Answer(status, http.HTTPStatus(status).phrase, nodes.schema(value, where=where))
