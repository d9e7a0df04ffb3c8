"""What a query function returned → the operation one request executes."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import typing
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from django.db.models import QuerySet

from plectrum.errors import PlanError

from . import slices
from .arithmetic import Number
from .compiled import Compiled, compile_count, compile_estimate, compile_exists
from .cursor import CursorRows
from .internal import Rows, is_a
from .param import Arithmetic, Param
from .parameters import fit_parameters
from .plan import Check, Operation, Plan, Response
from .results import Count, Exists, One, Page
from .rows import Options, plan_rows
from .wanted import read_annotation, unwrapped

__all__ = ["plan_result"]

_JSON: Final = (str, int, float, bool, type(None))


def plan_result(
    result: Any,
    params: Sequence[Param] = (),
    annotation: Any = None,
    *,
    using: str | None = None,
    coerce_decimal: bool = True,
) -> Operation:
    """Plan a result.

    Parameters:
        result: a QuerySet, ``One``, ``Count``, ``Exists``, ``Page``, or a dict of these and of JSON values.
        params: arguments of the execution.
        annotation: chooses fields and nesting.
        using: database alias; the queryset's own (router, ``using()``) where ``None``.
        coerce_decimal: write decimals as strings.

    Errors:
        PlanError: it is none of these, or cannot be planned.
    """
    if not isinstance(result, Mapping) and _is_json(result):
        raise PlanError(_unplannable(result))
    planner = _Planner(params, using, coerce_decimal)
    response = planner.response(result, annotation)
    queries = tuple(planner.queries)
    reasons = tuple(dict.fromkeys(reason for query in queries for reason in query.reasons()))
    return Operation(
        queries,
        response,
        planner.using or "default",
        "django" if reasons else "rust",
        reasons,
        tuple(planner.checks),
        _described(params, planner.added),
    )


def _described(params: Sequence[Param], added: Sequence[Param]) -> tuple[dict[str, str], ...]:
    """Name, type and source of each argument; between the function's own and those added are the declaration's."""
    found = [{"name": p.name, "type": p.type.__name__, "source": p.source} for p in params]
    for param in added:
        found += [{"name": "", "type": "", "source": ""}] * (param.index - len(found))
        found.append({"name": param.name, "type": param.type.__name__, "source": param.source})
    return tuple(found)


class _Planner:
    def __init__(self, params: Sequence[Param], using: str | None, coerce_decimal: bool) -> None:
        self.arguments = {param.name: param.index for param in params}
        self.using = using
        self.coerce_decimal = coerce_decimal
        self.queries: list[Plan] = []
        self.checks: list[Check] = []
        #: Arguments behind the parameters: the values of a cursor.
        self.added: list[Param] = []

    def response(self, result: Any, annotation: Any) -> Response:
        if is_a(result, QuerySet):
            return self._rows(result, annotation)
        if is_a(result, One):
            return self._one(result.queryset, annotation)
        if is_a(result, Count):
            return self._count(result.queryset)
        if is_a(result, Exists):
            return self._exists(result.queryset)
        if is_a(result, Page):
            return self._page(result, annotation)
        if is_a(result, CursorRows):
            return self._cursor(result, annotation)
        if is_a(result, Mapping):
            return self._object(result, annotation)
        if _is_json(result):
            return {"literal": result}
        raise PlanError(_unplannable(result))

    def _rows(self, queryset: QuerySet[Any], annotation: Any) -> Response:
        plan = self._plan(queryset, annotation)
        return {"literal": []} if plan is None else {"rows": self._add(plan)}

    def _one(self, queryset: QuerySet[Any], annotation: Any) -> Response:
        """As ``QuerySet.get()``: unordered, and a second row is noticed."""
        if queryset.query.can_filter():
            if not queryset.query.distinct_fields:
                queryset = queryset.order_by()
            queryset = queryset[:2]
        plan = self._plan(queryset, annotation, elide_empty=False)  # no rows is a 404, not a constant
        assert plan is not None
        return {"one": self._add(plan)}

    def _plan(self, queryset: QuerySet[Any], annotation: Any, *, elide_empty: bool = True) -> Plan | None:
        options = Options(self._alias(queryset), self.coerce_decimal, elide_empty)
        self._check(queryset)
        return plan_rows(queryset, read_annotation(annotation), options)

    def _count(self, queryset: QuerySet[Any], *, estimated: bool = False) -> Response:
        using = self._alias(queryset)
        self._check(queryset)
        if estimated and (compiled := compile_estimate(queryset, using)) is not None:
            return self._scalar(compiled, 0)
        fit_parameters(queryset.query, using)
        return self._scalar(compile_count(queryset, using), 0)

    def _exists(self, queryset: QuerySet[Any]) -> Response:
        using = self._alias(queryset)
        self._check(queryset)
        fit_parameters(queryset.query, using)
        return self._scalar(compile_exists(queryset, using), False)

    def _scalar(self, compiled: Compiled | None, empty: Any) -> Response:
        if compiled is None:
            return {"literal": empty}
        return {"scalar": self._add(Plan(compiled.statement, compiled.columns, {"column": 0}, (), compiled.reason))}

    def _page(self, page: Page[Any], annotation: Any) -> Response:
        by_number = page.number is not None
        number, size = (page.number, page.size) if by_number else (page.offset, page.limit)
        position = number.index if isinstance(number, Param) else None
        if number is None or position is None or isinstance(size, Arithmetic):
            raise PlanError(
                "Page() needs parameters: number= (or offset=) one of the function's own, size= (or limit=) too or "
                "an int."
            )
        count = self._count(page.queryset, estimated=page.count == "estimated") if page.count else None
        results = self._rows(page.rows, annotation)
        if (count is not None and "literal" in count) or "literal" in results:
            counted = [["count", {"literal": 0}]] if page.count else []
            return {"object": [*counted, ["next", _NULL], ["previous", _NULL], ["results", {"literal": []}]]}
        body: dict[str, Any] = {
            "count": None if count is None else count["scalar"],
            "probe": page.count is not True,
            "results": results["rows"],
            "number": position,
            "size": {"arg": size.index} if isinstance(size, Param) else {"const": size},
            "style": "page_number" if by_number else "limit_offset",
            "number_param": number.name,
        }
        if isinstance(size, Param):
            body["size_param"] = size.name
        return {"page": body}

    def _cursor(self, page: CursorRows[Any], annotation: Any) -> Response:
        plan = self._plan(page.rows, annotation)
        if plan is None:
            return {"object": [["results", {"literal": []}], ["next", _NULL], ["previous", _NULL]]}
        self.added = page.arguments
        plan = dataclasses.replace(plan, reversed=page.direction == "previous")
        body: dict[str, Any] = {
            "results": self._add(plan),
            "size": {"arg": page.size.index} if isinstance(page.size, Param) else {"const": page.size},
            "from": page.direction,
            "scope": page.place,
            "param": page.param,
        }
        return {"cursor": body}

    def _object(self, result: Mapping[Any, Any], annotation: Any) -> Response:
        if not any(_holds_query(value) for value in result.values()) and _is_json(result):
            return {"literal": dict(result)}
        hints = _hints_of(annotation)
        items: list[list[Any]] = []
        for key, value in result.items():
            if not isinstance(key, str):
                raise PlanError(f"Keys of a returned dict must be text, not {key!r}.")
            items.append([key, self.response(value, hints.get(key))])
        return {"object": items}

    def _add(self, plan: Plan) -> int:
        self.queries.append(plan)
        return len(self.queries) - 1

    def _alias(self, queryset: Rows) -> str:
        own = self.using or queryset.db
        if self.using is None:
            self.using = own
        elif queryset._db is not None and queryset._db != self.using:
            raise PlanError(
                f"One response cannot come from two databases ({self.using!r} and {queryset._db!r}). Make it two "
                "routes, or build it in an `async def` handler."
            )
        return own

    def _check(self, queryset: QuerySet[Any]) -> None:
        """Conditions on the bounds of a slice: Django refuses negative ones when it sees them."""
        query = queryset.query
        for what, value in (("start", query.low_mark), ("stop", query.high_mark)):
            number = slices.bound(value)
            if number is not None:
                self._add_check(number, f"{what} of the slice")

    def _add_check(self, number: Number, what: str) -> None:
        check = Check(number.polynomial(), {p.name: p.index for p in number.parameters()}, what)
        if check not in self.checks:
            self.checks.append(check)


_NULL: Final[Response] = {"literal": None}


def _holds_query(value: Any) -> bool:
    if is_a(value, Mapping):
        return any(_holds_query(inner) for inner in value.values())
    return is_a(value, (QuerySet, One, Count, Exists, Page))


def _is_json(value: Any) -> bool:
    if is_a(value, Mapping):
        return all(is_a(key, str) and _is_json(item) for key, item in value.items())
    if is_a(value, (list, tuple)):
        return all(_is_json(item) for item in value)
    return is_a(value, _JSON) and value == value and value not in (float("inf"), float("-inf"))


def _hints_of(annotation: Any) -> dict[str, Any]:
    inner, _ = unwrapped(annotation)
    if typing.get_origin(inner) in (dict, Mapping) and len(get_args(inner)) == 2:
        value = get_args(inner)[1]
        return _Everything(value)
    return typing.get_type_hints(inner) if is_a(inner, type) and hasattr(inner, "__annotations__") else {}


class _Everything(dict[str, Any]):
    """The same hint for every key."""

    def __init__(self, hint: Any) -> None:
        super().__init__()
        self.hint = hint

    def get(self, key: str, default: Any = None) -> Any:
        return self.hint


def _unplannable(result: Any) -> str:
    kind = type(result).__name__
    if isinstance(result, Param | Arithmetic):
        return f"It returned its parameter {result.name!r}; a query function returns what the database gives."
    if isinstance(result, list | tuple | set):
        return f"It returned a {kind}; return the QuerySet itself, which becomes an array, or a dict of querysets."
    if isinstance(result, decimal.Decimal | datetime.date | uuid.UUID):
        return f"It returned a {kind}, which is no JSON value."
    return (
        f"It returned {kind}; a query function returns a QuerySet, One(queryset), Count(queryset), Exists(queryset), "
        f"Page(queryset, …), or a dict of these. Anything else needs an `async def` handler."
    )
