"""Plans: statements, what their rows become, and the response made of them.

The JSON form (:meth:`Operation.describe`) is read by the Rust side; the Python form also runs through Django's own
connection (:mod:`plectrum.orm.django_backend`), which needs Django's converters and the columns Python renders.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .arithmetic import Polynomial
from .custom import CustomColumn
from .fields import Kind
from .sql import Statement

__all__ = ["Backend", "Check", "Child", "Column", "Operation", "Plan", "Response", "Template"]

#: Where it runs: on Rust's own connections, or on Django's.
Backend = Literal["rust", "django"]

#: Rust's `Template`: ``{"column": n}``, ``{"object": …}``, ``{"array": […]}``, ``{"child": n}``, ``{"literal": …}``,
#: ``{"leaf": …}``, ``{"mark": …}``.
Template = dict[str, Any]
#: Rust's `Response`: ``{"rows": n}``, ``{"one": n}``, ``{"scalar": n}``, ``{"object": […]}``, ``{"page": …}``,
#: ``{"literal": …}``.
Response = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A result column.

    Parameters:
        kind: how it becomes JSON.
        converters: Django's converters ``(value, expression, connection) → value``, for Django's connection.
        expression: the selected expression, for the converters.
        custom: how Python renders it, where Rust cannot.
    """

    kind: Kind
    converters: tuple[Callable[..., Any], ...] = ()
    expression: Any = None
    custom: CustomColumn | None = None


@dataclass(frozen=True)
class Child:
    """A relation fetched by its own statement.

    Parameters:
        parent_column: column of the parent's row that holds the key.
        key_column: column of the child's row that holds the key.
        many: an array; otherwise an object or ``null``.
        plan: the statement, one of whose placeholders is the parent's keys.
        missing: what stands for a single object that is not there.
        required: whether that is an error.
    """

    parent_column: int
    key_column: int
    many: bool
    plan: Plan
    missing: Any = None
    required: bool = False


@dataclass(frozen=True)
class Plan:
    """One statement and what its rows become.

    Parameters:
        statement: SQL with its placeholders.
        columns: result columns in order.
        row: what a row becomes.
        children: to-many (and prefetched to-one) relations.
        reason: why it cannot run on Rust's connections; ``None`` where it can.
        edges: columns the rows are ordered by, whose values at either end become cursors.
        reversed: whether the statement gives its rows in the opposite order.
    """

    statement: Statement
    columns: tuple[Column, ...]
    row: Template
    children: tuple[Child, ...] = ()
    reason: str | None = None
    edges: tuple[int, ...] = ()
    reversed: bool = False

    def reasons(self) -> list[str]:
        """Why this plan, or a child of it, has to run on Django's connection; empty where it need not."""
        own = [self.reason] if self.reason else []
        return own + [reason for child in self.children for reason in child.plan.reasons()]

    def describe(self, *, sql: bool = True) -> dict[str, Any]:
        """The plan as the Rust side reads it.

        Parameters:
            sql: write the SQL for Rust's drivers; without, it is for people, and Django's connection executes.
        """
        text, binds = self.statement.native() if sql else self.statement.outline()
        return {
            "sql": text,
            "binds": binds,
            "columns": [column.kind for column in self.columns],
            "row": self.row,
            "edges": list(self.edges),
            "reversed": self.reversed,
            "children": [
                {
                    "parent_column": child.parent_column,
                    "key_column": child.key_column,
                    "many": child.many,
                    "plan": child.plan.describe(sql=sql),
                    **({} if child.missing is None else {"missing": child.missing}),
                    **({"required": True} if child.required else {}),
                }
                for child in self.children
            ],
        }


@dataclass(frozen=True)
class Check:
    """A condition on arguments: the polynomial must not be negative, or the request is a 422.

    Parameters:
        polynomial: names of integer arguments multiplied → factor.
        arguments: argument name → argument number.
        what: what would be negative, for people.
    """

    polynomial: Polynomial
    arguments: dict[str, int]
    what: str

    def describe(self) -> dict[str, Any]:
        """``{"nonnegative": [[factor, [argument, …]], …], "what": …}``: the sum of products must be at least 0."""
        terms = [
            [factor, [self.arguments[name] for name in names]] for names, factor in sorted(self.polynomial.items())
        ]
        return {"nonnegative": terms, "what": self.what}

    def holds(self, arguments: Sequence[Any]) -> bool:
        """Whether the condition is true.

        Parameters:
            arguments: the execution's arguments.
        """
        total = 0
        for names, factor in self.polynomial.items():
            for name in names:
                factor *= arguments[self.arguments[name]]
            total += factor
        return total >= 0


@dataclass(frozen=True, eq=False)
class Operation:
    """Statements and the response their rows become: what one request executes.

    Parameters:
        queries: top-level statements.
        response: what the response is made of.
        using: database alias.
        backend: ``django`` where a column needs Python or the engine is not Rust's.
        reasons: why it is not ``rust``.
        checks: conditions on the arguments.
        arguments: name, type and source of each argument, in order.
        shared: whether many requests will execute it; otherwise preparing its statements is not worth it.
    """

    queries: tuple[Plan, ...]
    response: Response
    using: str = "default"
    backend: Backend = "rust"
    reasons: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    arguments: tuple[dict[str, str], ...] = ()
    shared: bool = True

    @property
    def alias(self) -> str:
        """Database alias."""
        return self.using

    def describe(self) -> dict[str, Any]:
        """The operation as the Rust side reads it."""
        return {
            "queries": [query.describe(sql=self.backend == "rust") for query in self.queries],
            "response": self.response,
            "checks": [check.describe() for check in self.checks],
        }

    def to_json(self) -> str:
        """:meth:`describe` as JSON text."""
        return json.dumps(self.describe(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def statement_count(self) -> int:
        """Statements one execution sends: one per top-level query and one per level of relations."""

        def count(plan: Plan) -> int:
            return 1 + sum(count(child.plan) for child in plan.children)

        return sum(count(query) for query in self.queries)
