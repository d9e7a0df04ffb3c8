"""Fits each parameter to the column it is compared with, once the queryset is built.

Django prepares a value by the field it is compared with (``get_prep_value``). A parameter has no value to prepare, so
the field decides how its placeholder is declared instead, and a type that Django would have to convert is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import connections, models
from django.db.models import lookups
from django.db.models.expressions import Col, ExpressionList
from django.db.models.fields.json import JSONExact, JSONField, KeyTransformNumericLookupMixin
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.query import Query

from plectrum.errors import PlanError

from .binds import BindType
from .fields import bind_type, value_field
from .internal import is_a
from .param import Param

__all__ = ["fit_parameters", "lookups_of"]

_COMPARED: Final = {"exact", "gt", "gte", "lt", "lte", "in", "range"}
#: Declared type of a column → types of a parameter that mean the same without conversion.
_FITS: Final[dict[BindType, tuple[BindType, ...]]] = {
    "int": ("int",),
    "float": ("float", "int", "decimal"),
    "decimal": ("decimal", "int", "float"),
    "datetime_tz": ("datetime_tz",),
    "datetime": ("datetime",),
}


def fit_parameters(query: Query, using: str) -> None:
    """Fit the parameters of a query, its subqueries included.

    Parameters:
        query: changed in place; it belongs to the trace.
        using: database alias.

    Errors:
        PlanError: a parameter's type does not fit the column, or ``None`` would need other SQL.
    """
    for lookup, owner in lookups_of(query):
        _fit(lookup, owner, using)


def lookups_of(query: Query) -> Iterator[tuple[lookups.Lookup[Any], Query]]:
    """Every lookup in a query, with the query or subquery it is part of."""
    seen: set[int] = set()
    waiting: list[tuple[Any, Query]] = [(query, query)]
    while waiting:
        node, owner = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if is_a(node, lookups.Lookup):
            yield node, owner
        if is_a(node, Query):
            owner = node
            waiting += [(part, owner) for part in _parts(node)]
        elif is_a(getattr(node, "query", None), Query):
            waiting.append((node.query, owner))
        if hasattr(node, "get_source_expressions") and not is_a(node, Query):
            waiting += [(part, owner) for part in node.get_source_expressions()]


def _parts(query: Query) -> Iterator[Any]:
    yield query.where
    yield from query.annotations.values()
    yield from query.select
    yield from query.combined_queries
    yield from (item for item in query.order_by if hasattr(item, "resolve_expression"))
    joins: dict[str, Any] = query.alias_map
    yield from (join.filtered_relation.resolved_condition for join in joins.values() if join.filtered_relation)


def _fit(lookup: lookups.Lookup[Any], owner: Query, using: str) -> None:
    rhs: Any = lookup.rhs
    if isinstance(lookup, lookups.IsNull) and isinstance(rhs, Param):
        _fit_isnull(lookup, owner)
    elif isinstance(rhs, Param):
        lookup.rhs = _fitted(rhs, lookup, using)
    elif isinstance(rhs, ExpressionList):
        items = [
            _fitted(item, lookup, using) if isinstance(item, Param) else item for item in rhs.get_source_expressions()
        ]
        rhs.set_source_expressions(items)


def _fitted(param: Param, lookup: lookups.Lookup[Any], using: str) -> Param:
    if param.optional:
        raise PlanError(
            f"Parameter {param.name!r} may be None, but `{_lookup_of(lookup)}` with None is other SQL in Django (IS "
            "NULL). Declare the filter as filters=, which leaves it out where the request does not bring it, make "
            "the parameter required, or make the handler `async def`."
        )
    field = _compared_field(lookup)
    if lookup.lookup_name not in _COMPARED or field is None:
        if is_a(lookup, _PATTERNS) and param.type is not str:
            raise _mismatch(param, lookup, "text", "str")
        return param
    if is_a(field, JSONField):
        return _fitted_to_json(param, lookup, connections[using].vendor)
    wanted = bind_type(field)
    if param.bind not in _FITS.get(wanted, (wanted,)) and wanted != "infer":
        raise _mismatch(param, lookup, type(field).__name__, _PYTHON_NAMES.get(wanted, wanted))
    if param.many and connections[using].vendor == "postgresql":
        return param.compared_with(wanted, cast="bigint[]" if wanted == "int" else "")
    # The server knows text columns better: citext compares in its own way, but only with its own type.
    return param.compared_with("infer" if wanted == "text" else wanted)


def _fitted_to_json(param: Param, lookup: lookups.Lookup[Any], vendor: str) -> Param:
    """SQLite compares documents as text, as Python wrote it, and numbers within them as numbers."""
    whole = type(lookup) is JSONExact
    if param.many or (vendor == "sqlite" and (whole or param.type is dict)):
        raise PlanError(
            f"`{_lookup_of(lookup)}` compares JSON with parameter {param.name!r}, which has no text of its own "
            "before the request. Compare a single key with a scalar parameter, or make the handler `async def`."
        )
    if param.type is dict or (vendor == "sqlite" and is_a(lookup, KeyTransformNumericLookupMixin)):
        return param
    return param.compared_with(param.bind, form="json")


_PATTERNS: Final = (lookups.PatternLookup, lookups.IExact, lookups.Regex)
_PYTHON_NAMES: Final[dict[str, str]] = {
    "text": "str",
    "decimal": "decimal.Decimal",
    "uuid": "uuid.UUID",
    "date": "datetime.date",
    "time": "datetime.time",
    "datetime": "datetime.datetime",
    "datetime_tz": "datetime.datetime",
    "duration": "datetime.timedelta",
    "json": "dict",
}


def _mismatch(param: Param, lookup: lookups.Lookup[Any], field: str, wanted: str) -> PlanError:
    return PlanError(
        f"Parameter {param.name!r} is declared as `{param.type.__name__}`, but `{_lookup_of(lookup)}` compares it "
        f"with a value of {field}. Declare it as `{wanted}`."
    )


def _lookup_of(lookup: lookups.Lookup[Any]) -> str:
    lhs: Any = lookup.lhs
    name = lhs.target.name if isinstance(lhs, Col) else type(lhs).__name__.lower()
    return f"{name}__{lookup.lookup_name}"


def _compared_field(lookup: lookups.Lookup[Any]) -> models.Field[Any, Any] | None:
    lhs: Any = lookup.lhs
    field: Any = lhs.target if isinstance(lhs, Col) else getattr(lhs, "_output_field_or_none", None)
    return value_field(field) if is_a(field, models.Field) else None


def _fit_isnull(lookup: lookups.Lookup[Any], owner: Query) -> None:
    """``isnull`` by a parameter: a comparison with the truth of ``IS NULL``."""
    lhs: Any = lookup.lhs
    param: Any = lookup.rhs
    join: Any = owner.alias_map.get(lhs.alias) if isinstance(lhs, Col) else None
    # Django joins outward only when it knows that NULL is asked for.
    if param.type is not bool or (getattr(join, "parent_alias", None) is not None and join.join_type != LOUTER):
        raise PlanError(
            f"`{_lookup_of(lookup)}` by parameter {param.name!r} needs another join for True than for False. Filter "
            "on a column of the model itself with a `bool` parameter, or make the handler `async def`."
        )
    lookup.__class__ = _IsNullAsAsked


class _IsNullAsAsked(lookups.IsNull):
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        sql, params = self.process_lhs(compiler, connection)
        asked, more = compiler.compile(self.rhs)
        return f"({sql} IS NULL) = {asked}", [*params, *more]
