"""What a route does: which way it is answered and why, its statements, and how the database would run them."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from .errors import ConfigurationError, line_of
from .native import Planner
from .params import MISSING

if TYPE_CHECKING:
    from .api import API
    from .compiled import CompiledRoute

__all__ = ["Explanation", "Statement", "explain", "find", "plan_of", "write"]

_BRACES = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*(:[a-z]+)?\}")
#: From here on PostgreSQL plans statements without values for their parameters.
_GENERIC_PLAN = 160_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement and how its database would run it.

    Parameters:
        sql: with numbered placeholders.
        plan: lines of the database's ``EXPLAIN``, or why there are none.
    """

    sql: str
    plan: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """What is known of a route.

    Parameters:
        method, path, name: the route's.
        where: line of its handler.
        way: ``native``, ``queryset`` or ``object``.
        why: reasons for that, sentences.
        statements: of one execution; of a request that was sent where the handler decides.
        variants: filters and orders that change the statements.
    """

    method: str
    path: str
    name: str
    where: str
    way: str
    why: list[str]
    statements: list[Statement]
    variants: list[str]


def explain(api: API, wanted: str, method: str | None = None, *, run: bool = False, plans: bool = True) -> Explanation:
    """Explains a route.

    Parameters:
        api: whose.
        wanted: the route's name or pattern, or a path it answers, with a query where it is to be sent.
        method: where several answer; GET before others.
        run: send ``wanted`` as a GET, in process, and tell the statements it made.
        plans: ask the database how it would run them; they are not run.

    Errors:
        ConfigurationError: there is no such route, or it cannot be sent.
    """
    route = find(api.compile().routes, wanted, method)
    planner = route.planner if isinstance(route.planner, Planner) else None
    texts: Sequence[str] = _statements(planner.base) if planner else ()
    alias = planner.base.alias if planner else "default"
    if run:
        texts = _sent(api, route, wanted)
    statements = [Statement(sql=sql, plan=plan_of(sql, alias) if plans else "") for sql in texts]
    listing = planner.listing if planner else None
    return Explanation(
        method=route.route.method,
        path=route.route.path,
        name=route.route.name,
        where=line_of(route.route.handler),
        way=route.way,
        why=list(_reasons(route, planner)),
        statements=statements,
        variants=[*listing.optional, *(f"ordering={field}" for field in listing.ordering)] if listing else [],
    )


def find(routes: Sequence[CompiledRoute], wanted: str, method: str | None) -> CompiledRoute:
    """The route of that name, pattern or path.

    Errors:
        ConfigurationError: there is none; the message says which is close.
    """
    path = wanted.partition("?")[0]
    own = [route for route in routes if not route.route.mounted]
    named = [route for route in own if wanted in (route.route.name, route.route.path)]
    found = named or [route for route in own if _pattern(route.route.path).fullmatch(path)]
    # What is written out comes before what a parameter takes, as it does where requests are routed.
    found.sort(key=lambda route: (len(_BRACES.findall(route.route.path)), route.route.method != "GET"))
    for route in found:
        if method is None or route.route.method == method.upper():
            return route
    known = [route.route.path for route in own] + [route.route.name for route in own]
    close = difflib.get_close_matches(wanted, known, 1)
    hint = f"Did you mean {close[0]!r}?" if close else "'plectrum routes' lists all."
    raise ConfigurationError(f"No route answers {f'{method.upper()} ' if method else ''}{wanted!r}. {hint}")


def _pattern(path: str) -> re.Pattern[str]:
    """What requests a route takes, roughly: converters judge the values."""
    pieces: list[str] = []
    end = 0
    for found in _BRACES.finditer(path):
        pieces += [re.escape(path[end : found.start()]), ".+" if found[1] == ":path" else "[^/]+"]
        end = found.end()
    return re.compile("".join([*pieces, re.escape(path[end:])]))


def _statements(operation: Any) -> list[str]:
    from .bridge import compiled

    statements: list[str] = compiled(operation).statements
    return statements


def _reasons(route: CompiledRoute, planner: Planner | None) -> Iterator[str]:
    annotation = route.returns.annotation
    name = getattr(annotation, "__name__", None) or str(annotation)
    if route.graph is not None:
        yield "A GraphQL schema: each document is planned when it first comes, and kept."
    elif route.route.feed is not None:
        yield "A change feed: rows are read by their key as the database tells of them."
    elif planner is not None:
        yield "A query function: planned at start-up, no Python runs for a request."
        for reason in planner.base.reasons:
            yield f"Django's own connection runs it: {reason}."
    elif route.way == "queryset":
        yield f"The handler returns {name}: Python builds the query for each request, Rust executes it and writes JSON."
    elif route.route.websocket is not None:
        yield "A WebSocket: Python talks, Rust frames."
    else:
        said = "has no return annotation" if annotation is MISSING else f"returns {name}"
        yield f"The handler {said}: Python makes the value, Rust writes it as JSON."
        yield "A QuerySet that it returns all the same is executed by Rust."
    if route.route.options.sync:
        yield "sync=True: it runs in the thread pool."


def _sent(api: API, route: CompiledRoute, wanted: str) -> list[str]:
    """Statements that a request makes, on whichever connection."""
    if route.route.method != "GET" or "{" in wanted or not wanted.startswith("/"):
        raise ConfigurationError("--run sends a GET: name a whole path, such as '/articles/7?page=2'.")
    from django.db import connections, transaction
    from django.test.utils import CaptureQueriesContext

    from .testing import TestClient

    captured = [CaptureQueriesContext(connection) for connection in connections.all()]
    with contextlib.ExitStack() as stack:
        for connection in connections.all():
            # On Django's connection, where it is seen; a GET should change nothing, and here it cannot.
            stack.enter_context(transaction.atomic(using=connection.alias))
            stack.callback(transaction.set_rollback, True, using=connection.alias)
        client = stack.enter_context(TestClient(api))
        for capture in captured:
            stack.enter_context(capture)
        response = client.get(wanted)
    if response.status_code >= 400:
        raise ConfigurationError(f"GET {wanted} answered {response.status_code}: {response.text[:300]}")
    return [query["sql"] for capture in captured for query in capture.captured_queries]


def plan_of(sql: str, alias: str = "default") -> str:
    """How the database would run a statement, which is not run.

    Parameters:
        sql: with numbered placeholders, or none.
        alias: of the database.

    Returns:
        Lines of its ``EXPLAIN``, or a sentence that says why there are none.
    """
    from django.db import connections, transaction
    from django.db.utils import Error

    connection = connections[alias]
    if not sql.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
        return ""
    if connection.vendor == "sqlite":
        prefix = "EXPLAIN QUERY PLAN "
    elif connection.vendor == "postgresql":
        connection.ensure_connection()
        version: int = getattr(connection, "pg_version", 0)
        if re.search(r"\$\d", sql) and version < _GENERIC_PLAN:
            return "PostgreSQL plans statements without their values from version 16 on."
        prefix = "EXPLAIN (GENERIC_PLAN) " if version >= _GENERIC_PLAN else "EXPLAIN "
    else:
        prefix = "EXPLAIN "
    try:
        # A statement that fails would spoil the transaction around it.
        with transaction.atomic(using=alias), connection.wrap_database_errors, connection.cursor() as cursor:
            rows = _explained(cursor, prefix + sql, sql if connection.vendor == "sqlite" else "")
    except Error as error:
        return f"{type(error).__name__}: {error}".strip()
    return "\n".join(" ".join(str(value) for value in row[-1:]) for row in rows)


def _explained(cursor: Any, statement: str, placed: str) -> list[Any]:
    """Runs it as it stands: the wrappers of Django's cursors would read percent signs."""
    raw = cursor.cursor
    if placed:  # SQLite wants a value for each placeholder
        numbers = [int(number) for number in re.findall(r"[?$](\d+)", placed)]
        return list(raw.connection.execute(statement, [None] * max(numbers, default=placed.count("?"))))
    raw.execute(statement)
    return list(raw.fetchall())


def write(explanation: Explanation, out: TextIO) -> None:
    """Writes an explanation for people."""
    out.write(f"{explanation.method} {explanation.path}  ({explanation.name}, {explanation.where})\n")
    out.write(f"way         {explanation.way}\n")
    out.writelines(f"{'' if index else 'why':11} {why}\n" for index, why in enumerate(explanation.why))
    out.write(f"statements  {_count(explanation)}\n")
    if explanation.variants:
        out.write(f"variants    each of these changes them: {', '.join(explanation.variants)}\n")
    for number, statement in enumerate(explanation.statements, 1):
        out.write(f"\n{number}. {statement.sql}\n")
        out.writelines(f"   {line}\n" for line in statement.plan.splitlines())


def _count(explanation: Explanation) -> str:
    if explanation.statements or explanation.way == "native":
        return str(len(explanation.statements))
    return "the handler decides; --run sends a request and tells"


def to_json(explanation: Explanation) -> str:
    """An explanation for programs."""
    return json.dumps(dataclasses.asdict(explanation), indent=2, ensure_ascii=False)
