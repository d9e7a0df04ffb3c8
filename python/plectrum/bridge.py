"""Called by the Rust binding while requests are served; not for users."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import functools
import json
import logging
import sys
import traceback
import uuid
import weakref
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from . import _core, conf
from ._here import outside_asyncio
from .errors import HTTPException, line_of_error
from .params import MISSING

if TYPE_CHECKING:
    from .orm import Operation, Planned

__all__ = [
    "active_zone",
    "compiled",
    "database",
    "describe_exception",
    "internal_error",
    "known_problem",
    "plan_result",
    "run_here",
    "run_in_pool",
]

_log = logging.getLogger("plectrum.request")

_Described = tuple[int, bytes, list[tuple[str, str]]]


def describe_exception(error: BaseException, route: str, debug: bool) -> _Described:
    """The response to an exception a handler let through, as ``(status, body, headers)``.

    Parameters:
        error: the exception.
        route: the route's name, for the log.
        debug: whether the traceback may be shown to the client.

    Source: RFC 9457; which of Django's exceptions mean which status is ``django.core.handlers.exception``.
    """
    described = known_problem(error)
    if described is not None:
        return described
    place = line_of_error(error)
    _log.error("%s: %s%s", route, _said(error), f" at {place}" if place else "", exc_info=error)
    return internal_error(error, debug)


def known_problem(error: BaseException) -> _Described | None:
    """The response to an exception that means one; ``None`` where nobody expected it."""
    known = error if isinstance(error, HTTPException) else _django_problem(error)
    return None if known is None else (known.status, _encoded(known.problem()), list(known.headers.items()))


def internal_error(error: BaseException, debug: bool) -> _Described:
    """The response to an exception that nobody expected."""
    problem: dict[str, Any] = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    if debug:
        problem["detail"] = _said(error)
        problem["traceback"] = "".join(traceback.format_exception(error))
    return 500, _encoded(problem), []


def _said(error: BaseException) -> str:
    text = str(error)
    if type(error).__name__ == "SynchronousOnlyOperation":  # Django's own words name no way out that is at hand here
        text += (
            " Await the ORM's own (acount(), aget(), asave() …), or write a plain 'def' and give its route sync=True."
        )
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _encoded(problem: dict[str, Any]) -> bytes:
    return json.dumps(problem, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _django_problem(error: BaseException) -> HTTPException | None:
    """What Django's own handler would answer, where the exception is one of Django's (or DRF's)."""
    if "django" not in sys.modules:
        return None
    from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
    from django.http import Http404

    if isinstance(error, Http404):
        return HTTPException(404, str(error) or None)
    if isinstance(error, PermissionDenied):
        return HTTPException(403, str(error) or None)
    if isinstance(error, (BadRequest, SuspiciousOperation)):
        return HTTPException(400)
    status = getattr(error, "status_code", None)
    if type(error).__module__.startswith("rest_framework.") and isinstance(status, int):
        return HTTPException(status, str(getattr(error, "detail", "")) or None)
    return None


#: Operations by the number of their compiled form, for as long as they live.
_operations: weakref.WeakValueDictionary[int, Operation] = weakref.WeakValueDictionary()
#: Compiled forms, for as long as their operations live.
_compiled: weakref.WeakKeyDictionary[Operation, _core.Operation] = weakref.WeakKeyDictionary()


def compiled(operation: Operation) -> _core.Operation:
    """The compiled form of an operation, made the first time it is asked for."""
    found = _compiled.get(operation)
    if found is None:
        found = _compiled[operation] = _core.Operation(operation.to_json())
        _operations[found.number] = operation
    return found


def plan_result(result: Any, annotation: Any) -> tuple[_core.Operation, list[Any], str, bool, Operation | None]:
    """Plans what a handler returned.

    Returns:
        compiled operation, its arguments, database alias, whether Django's own connection has to run it, and what has
        to be kept until it has run: an operation that the cache does not keep, for :func:`run_here`.
    """
    operation, arguments = _planner()(result, None if annotation is MISSING else annotation)
    foreign = operation.backend == "django"
    kept = operation if foreign or not operation.shared else None
    return compiled(operation), arguments, operation.using, foreign, kept


@functools.cache
def _planner() -> Callable[[Any, Any], Planned]:
    """Imported once: an import statement costs half a microsecond each time it is passed."""
    from .orm import plan

    return plan


def database(alias: str) -> str:
    """How Rust reaches an alias, as JSON: ``engine``, ``config``, and the time zones of answers and of the session."""
    from .orm.connection import connection_config, engine_reason

    if engine_reason(alias) is not None or _is_atomic(alias):
        return json.dumps({"engine": "django", "zone": _time_zone(), "session": "UTC"})
    return json.dumps(connection_config(alias, conf.current()))


def _is_atomic(alias: str) -> bool:
    """Whether every request is a transaction of Django's."""
    from django.db import connections

    return bool(connections[alias].settings_dict["ATOMIC_REQUESTS"])


def active_zone() -> str | int | None:
    """The time zone that was activated for what runs now: an IANA name, or seconds east of UTC."""
    timezone: Any = sys.modules.get("django.utils.timezone")
    if timezone is None or _is_untouched(timezone._active):
        return None
    zone = getattr(timezone._active, "value", None)
    if zone is None:
        return None
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)  # zoneinfo, pytz
    if name is None:
        offset = zone.utcoffset(None)
        if offset is None:
            raise ValueError(f"The active time zone {zone!r} has no IANA name. Activate a zoneinfo.ZoneInfo.")
        return int(offset.total_seconds())
    return str(name)


def _is_untouched(local: Any) -> bool:
    """Whether nothing was ever set in this context: what is missing, asgiref finds out by an exception, in 3 µs."""
    variable: Any = getattr(getattr(local, "_storage", None), "_data", None)
    return isinstance(cast("object", variable), ContextVar) and variable.get(None) is None


def _time_zone() -> str:
    from django.conf import settings

    return settings.TIME_ZONE if settings.USE_TZ else "UTC"


def run_here(alias: str, optional: bool, number: int, arguments: list[Any]) -> list[list[tuple[Any, ...]]] | None:
    """Runs an operation on Django's connection of the calling thread.

    Parameters:
        alias: database alias.
        optional: Rust can run it itself; it does unless this thread is in a transaction or queries are counted.
        number: which operation.
        arguments: by argument number.

    Returns:
        rows of each statement, in the operation's order; ``None`` where Rust shall run it.
    """
    from .orm.connection import must_run_on_django

    with outside_asyncio():  # where a loop runs, Django looks for this thread's connections in another place
        if optional and not must_run_on_django(alias):
            return None
        return _rows_of(number, arguments)


def run_in_pool(alias: str, number: int, arguments: list[Any]) -> list[list[tuple[Any, ...]]]:
    """Runs an operation on Django's connection of a pool thread; parameters as :func:`run_here`."""
    from django.db import close_old_connections, connections, transaction

    close_old_connections()
    try:
        atomic = connections[alias].settings_dict.get("ATOMIC_REQUESTS")
        with transaction.atomic(using=alias) if atomic else contextlib.nullcontext():
            return _rows_of(number, arguments)
    finally:
        close_old_connections()


def _rows_of(number: int, arguments: list[Any]) -> list[list[tuple[Any, ...]]]:
    from django.db import Error

    from .orm.django_backend import by_level, execute

    operation = _operations[number]
    try:
        rowsets = execute(operation, _revived(operation, arguments))
    except Error as error:
        setattr(error, "plectrum_sqlstate", _sqlstate(error))  # noqa: B010 - read by Rust
        raise
    return [rows for rowset in rowsets for rows in by_level(rowset)]


def _sqlstate(error: BaseException) -> str:
    return str(getattr(error.__cause__, "sqlstate", None) or "")


#: Arguments travel through Rust as text where JSON has no type for them; this is the way back.
_REVIVED: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda text: datetime.timedelta(microseconds=int(text.split()[0])),
    "Decimal": decimal.Decimal,
    "UUID": uuid.UUID,
    "int": int,
}


def _revived(operation: Operation, arguments: Sequence[Any]) -> list[Any]:
    types = [argument["type"] for argument in operation.arguments]
    types += [""] * (len(arguments) - len(types))
    return [_revive(value, kind) for value, kind in zip(arguments, types, strict=True)]


def _revive(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        return [_revive(item, kind) for item in cast("Sequence[Any]", value)]
    revive = _REVIVED.get(kind)
    return revive(value) if revive is not None and isinstance(value, str) else value
