"""``Param``: a value that a request will bring, as a Django expression.

A query function is called once at start-up with a ``Param`` for each of its arguments. Django treats it as an SQL
expression; it compiles to a placeholder that carries the parameter itself. Looking inside it is an error that names the
user's line, since there is nothing inside yet.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models.expressions import Combinable, Expression

from plectrum.errors import PlanError

from .arithmetic import Number, render
from .binds import BindType, Form, Slot
from .frames import Caller, caller, user_line
from .slices import bound, mark

__all__ = ["Arithmetic", "Param", "as_expression"]

#: Python type → the output field Django's own ``Value`` would have.
_OUTPUT_FIELDS: Final[dict[type, Callable[[], models.Field[Any, Any]]]] = {
    bool: models.BooleanField,
    int: models.IntegerField,
    float: models.FloatField,
    str: models.CharField,
    bytes: models.BinaryField,
    decimal.Decimal: models.DecimalField,
    datetime.datetime: models.DateTimeField,
    datetime.date: models.DateField,
    datetime.time: models.TimeField,
    datetime.timedelta: models.DurationField,
    uuid.UUID: models.UUIDField,
    dict: models.JSONField,
}

#: Where Django asks an expression for its truth value, meaning "is there one?"; generator expressions included.
_TRUTH_ASKED: Final = {
    "contains_aggregate", "contains_over_clause", "contains_column_references", "contains_subquery", "flatten",
    "<genexpr>", "get_source_expressions", "set_source_expressions", "resolve_expression", "get_group_by_cols",
    "get_refs",
}  # fmt: skip
_BINDS: Final[dict[type, BindType]] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    bytes: "bytes",
    decimal.Decimal: "decimal",
    datetime.date: "date",
    datetime.time: "time",
    datetime.timedelta: "duration",
    uuid.UUID: "uuid",
    dict: "json",
}
_QUERYSET: Final = "django.db.models.query"


class _Opaque(Expression):
    """An expression whose value is not known yet: every look inside is refused."""

    name: str

    def __bool__(self) -> bool:
        asking = caller()
        if asking.is_django and asking.frame.f_code.co_name in _TRUTH_ASKED:
            return True
        raise refusal(self, "asks for its truth value")

    def __int__(self) -> int:
        asking = caller()
        if asking.is_function(_QUERYSET, "__getitem__"):
            return self._as_slice_bound(asking)
        raise refusal(self, "asks for its number")

    def __lt__(self, other: object) -> bool:
        # `k.start < 0` of QuerySet.__getitem__; the sign is checked on each request.
        if other == 0 and caller().is_function(_QUERYSET, "__getitem__"):
            return False
        raise refusal(self, "compares it")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if caller().is_django:
            return False
        raise refusal(self, "compares it")

    __hash__ = object.__hash__

    def _as_slice_bound(self, asking: Caller) -> int:
        raise NotImplementedError

    def __gt__(self, other: object) -> bool:
        raise refusal(self, "compares it")

    __le__ = __ge__ = __gt__

    def __float__(self) -> float:
        raise refusal(self, "asks for its number")

    def __index__(self) -> int:
        raise refusal(self, "asks for its number")

    def __str__(self) -> str:
        raise refusal(self, "asks for its text")

    def __format__(self, spec: str) -> str:
        raise refusal(self, "asks for its text")

    # No __iter__ or __contains__: Django tells iterables by `hasattr(value, "__iter__")`. Python falls back to this.
    def __getitem__(self, key: object) -> Any:
        raise refusal(self, "iterates over it or indexes it")

    def __len__(self) -> int:
        raise refusal(self, "asks for its length")

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") or caller().is_django:
            raise AttributeError(attribute)
        raise refusal(self, f"reads its attribute {attribute!r}")


class Param(_Opaque):
    """An argument of a query function.

    Parameters: name: the argument's name. type: its Python type as annotated: a scalar type, an enum of scalars,
        ``list[scalar]``, or one of these ``| None``. source: where a request brings it: ``path``, ``query``,
        ``header``, ``cookie``, ``body``, ``user`` … index: position among the arguments of the execution.

    Errors:
        PlanError: the type has no SQL counterpart.
    """

    def __init__(self, name: str, type: Any = str, source: str = "query", index: int = 0) -> None:
        self.name = name
        self.source = source
        self.index = index
        self.type, self.many, self.optional = _scalar(name, type)
        self.slot = Slot(index, self.bind, "any" if self.many else "plain", "", name, self.many)
        super().__init__(output_field=_OUTPUT_FIELDS[self.type]())

    def __repr__(self) -> str:
        return f"Param({self.name!r})"

    @property
    def bind(self) -> BindType:
        """The type its placeholder is declared with where no column says better."""
        if self.type is datetime.datetime:
            return "datetime_tz" if settings.USE_TZ else "datetime"
        return _BINDS[self.type]

    @property
    def identity(self) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Django's equality of expressions: a parameter equals only itself."""
        return (Param, self.index, self.name)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """A placeholder carrying the parameter."""
        return ("PLECTRUM_ANY(%s)" if self.many else "%s"), [self.slot]

    def compared_with(self, bind: BindType, *, cast: str = "", form: Form = "plain") -> Param:
        """The same parameter where it is compared with a column.

        Parameters:
            bind: declared type of the placeholder.
            cast: SQL type of the list.
            form: how it is written.
        """
        copy: Param = self.copy()
        copy.slot = Slot(self.index, bind, "any" if self.many else form, cast, self.name, self.many)
        return copy

    def get_group_by_cols(self) -> list[Any]:
        """None, as Django's ``Value``: a constant is not grouped by."""
        return []

    def _combine(self, other: Any, connector: str, reversed: bool) -> Any:
        combined = _combine(self, other, connector, reversed)
        return _combined(self, other, connector, reversed) if combined is None else combined

    def _as_slice_bound(self, asking: Caller) -> int:
        return _slice_bound(self, Number(self), asking)


class Arithmetic(_Opaque):
    """``+``, ``-`` and ``*`` of integer parameters and constants: good for slices, filters and annotations.

    Parameters:
        number: the operation.
    """

    def __init__(self, number: Number) -> None:
        self.number = number
        self.name = " and ".join(p.name for p in number.parameters())
        super().__init__(output_field=models.IntegerField())

    def __repr__(self) -> str:
        return f"Arithmetic({self.name!r})"

    @property
    def identity(self) -> tuple[Any, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Equal trees are equal."""
        return (Arithmetic, str(self.number.polynomial()))

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """The operation with a placeholder for each parameter."""
        cast = "::bigint" if connection.vendor == "postgresql" else ""
        slots: list[Slot] = []

        def leaf(param: Param) -> list[str]:
            slots.append(Slot(param.index, "int", name=param.name))
            return ["%s" + cast]

        return "".join(render(self.number, leaf)), slots

    def get_group_by_cols(self) -> list[Any]:
        """None, as Django's ``Value``."""
        return []

    def _combine(self, other: Any, connector: str, reversed: bool) -> Any:
        combined = _combine(self, other, connector, reversed)
        return _combined(self, other, connector, reversed) if combined is None else combined

    def _as_slice_bound(self, asking: Caller) -> int:
        return _slice_bound(self, self.number, asking)


def as_expression(mark: int | None) -> Any:
    """A query's ``low_mark`` or ``high_mark``: the expression it stands for, where it was sliced by a parameter.

    Parameters:
        mark: as the query holds it.
    """
    number = bound(mark)
    if number is None:
        return mark
    return Arithmetic(number) if number.operator else number.leaf


def refusal(value: _Opaque, what: str) -> PlanError:
    """The error for looking inside a parameter: names the user's line and the two ways out.

    Parameters:
        value: the parameter.
        what: what the function does with it.
    """
    return PlanError(
        f"{user_line()}\n"
        f"The query function {what} (parameter {value.name!r}), but it runs once, at start-up, when parameters have "
        "no value yet. Either declare the choice (filters=, ordering=, search=, page=), or make the handler `async "
        "def`, so that it runs on each request."
    )


def _scalar(name: str, annotation: Any) -> tuple[type, bool, bool]:
    """Scalar type, whether it is a list of it, whether it may be ``None``."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _scalar(name, arguments[0])
    if origin in (typing.Union, types.UnionType) and type(None) in arguments:
        rest = [argument for argument in arguments if argument is not type(None)]
        if len(rest) == 1:
            kind, many, _ = _scalar(name, rest[0])
            return kind, many, True
    if origin is dict:
        return dict, False, False
    if origin in (list, set, frozenset, tuple) and arguments:
        kind, _, optional = _scalar(name, arguments[0])
        return kind, True, optional
    if origin is typing.Literal:
        return _scalar(name, type(arguments[0]))
    if isinstance(annotation, type):
        if issubclass(annotation, enum.Enum):
            return _scalar(name, type(next(iter(annotation)).value))
        for kind in annotation.__mro__:
            if kind in _OUTPUT_FIELDS:
                return kind, False, False
    raise PlanError(
        f"Parameter {name!r} has type {_type_name(annotation)}, which has no SQL counterpart. Use a scalar type "
        f"({', '.join(sorted(kind.__name__ for kind in _OUTPUT_FIELDS))}), an enum of scalars or a list of scalars, "
        "or make the handler `async def`."
    )


def _type_name(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)


def _number(value: Any) -> Number | None:
    if isinstance(value, Arithmetic):
        return value.number
    if isinstance(value, Param) and value.type is int and not value.many:
        return Number(value)
    return Number(value) if type(value) is int else None


def _combine(own: _Opaque, other: Any, connector: str, swapped: bool) -> Arithmetic | None:
    left, right = _number(own), _number(other)
    if left is None or right is None or connector not in (Combinable.ADD, Combinable.SUB, Combinable.MUL):
        return None
    if swapped:
        left, right = right, left
    return Arithmetic(Number(operator=typing.cast("Any", connector), left=left, right=right))


def _combined(own: _Opaque, other: Any, connector: str, swapped: bool) -> Any:
    """As Django combines expressions."""
    combinable: Any = Combinable
    return combinable._combine(own, other, connector, swapped)


def _slice_bound(value: _Opaque, number: Number, asking: Caller) -> int:
    wrong = next((p for p in number.parameters() if p.type is not int or p.many or p.optional), None)
    if wrong is not None:
        raise PlanError(
            f"{user_line()}\nA slice bound must be an `int`, and parameter {wrong.name!r} is not declared as one."
        )
    if asking.frame.f_locals["self"].query.is_sliced:
        raise PlanError(
            f"{user_line()}\n"
            f"A queryset that is sliced already cannot be sliced again by parameter {value.name!r}. Slice once."
        )
    key = asking.frame.f_locals["k"]
    is_start = key.start is value and "start" not in asking.frame.f_locals
    return mark(number, "start" if is_start else "stop")
