"""Which connection runs an operation, and how Rust reaches the database that Django's settings describe."""

from __future__ import annotations

import functools
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .internal import class_of
from .libpq import postgres_config

__all__ = ["connection_config", "django_reason", "must_run_on_django"]


def must_run_on_django(alias: str) -> bool:
    """Whether statements for this alias have to run on Django's connection, here and now.

    Parameters:
        alias: database alias.
    """
    return django_reason(alias) is not None


def django_reason(alias: str) -> str | None:
    """Why Django's own connection of this thread has to run the statements; ``None`` where Rust's may.

    Parameters:
        alias: database alias.
    """
    connection: Any = connections[alias]
    if connection.in_atomic_block:
        return "inside transaction.atomic()"
    if connection.settings_dict["ATOMIC_REQUESTS"]:
        return "ATOMIC_REQUESTS is on"
    if not connection.settings_dict["AUTOCOMMIT"] or (connection.connection is not None and not connection.autocommit):
        return "autocommit is off, so statements belong to a transaction"
    if connection.force_debug_cursor:
        return "queries are being captured"
    if connection.execute_wrappers:
        return "an execute_wrapper wants to see every statement"
    if _is_blocked(connection):
        return "a test forbids database access"
    return engine_reason(alias)


@functools.cache
def engine_reason(alias: str) -> str | None:
    """Why Rust cannot have a connection to this alias at all; ``None`` where it can.

    Parameters:
        alias: database alias.
    """
    connection: Any = connections[alias]
    if connection.vendor not in ("postgresql", "sqlite"):
        return f"Rust does not speak {connection.display_name}"
    if not _is_djangos(class_of(connection).get_new_connection):
        engine = connection.settings_dict["ENGINE"]
        return f"the engine {engine!r} opens its connections its own way"
    if connection.vendor == "sqlite":
        return "an in-memory database belongs to the connection that made it" if connection.is_in_memory_db() else None
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    if not is_psycopg3:
        return "psycopg 3 is not installed, and constants are written as it writes them"
    return postgres_config(connection)[1]


def connection_config(alias: str, settings: Any = None) -> dict[str, Any]:
    """How to reach and to set up the database as Django would.

    Parameters:
        alias: database alias.
        settings: :class:`plectrum.conf.Settings`, for the limits Django has none of.

    Returns: ``engine`` (``postgres`` or ``sqlite``), ``config`` as the Rust side reads it, ``zone`` (time zone of
        answers) and ``session`` (time zone of the connection).

    Errors:
        ValueError: Rust cannot have such a connection; see :func:`engine_reason`.
    """
    reason = engine_reason(alias)
    if reason is not None:
        raise ValueError(f"The database {alias!r} cannot be reached from Rust: {reason}.")
    connection: Any = connections[alias]
    found = {
        "zone": django_settings.TIME_ZONE if django_settings.USE_TZ else "UTC",
        "session": connection.timezone_name,
    }
    if connection.vendor == "sqlite":
        return {"engine": "sqlite", "config": _sqlite_config(connection, settings), **found}
    config, _ = postgres_config(connection)
    if settings is not None:
        config = {**_limits(connection, settings), **config}
    return {"engine": "postgres", "config": config, **found}


def _sqlite_config(connection: Any, settings: Any) -> dict[str, Any]:
    options = connection.settings_dict["OPTIONS"]
    commands = [command.strip() for command in (options.get("init_command") or "").split(";")]
    config: dict[str, Any] = {
        "path": str(connection.settings_dict["NAME"]),
        "timeout": float(options.get("timeout", 5.0)),
        "init": [command for command in commands if command],
    }
    if settings is not None and settings.database_statement_cache:
        config["statement_cache_size"] = settings.database_statement_cache
    return config


def _limits(connection: Any, settings: Any) -> dict[str, Any]:
    pooled_by_transaction = connection.settings_dict.get(
        "DISABLE_SERVER_SIDE_CURSORS", False
    )  # as Django's documents for PgBouncer
    return {
        "max_connections": settings.database_connections,
        "acquire_timeout_ms": round(settings.database_acquire_timeout * 1000),
        "max_pipeline": settings.database_max_pipeline,
        "statement_cache_size": 0 if pooled_by_transaction else settings.database_statement_cache,
        "statement_timeout_ms": round(settings.database_statement_timeout * 1000),
    }


def _is_blocked(connection: Any) -> bool:
    """Whether Django's ``SimpleTestCase`` or pytest-django's blocker guards the connection."""
    guard = BaseDatabaseWrapper.ensure_connection.__module__
    return not guard.startswith("django.") or hasattr(connection.connect, "wrapped")  # Django's _DatabaseFailure


def _is_djangos(method: Any) -> bool:
    return getattr(method, "__module__", "").startswith(("django.", "asgiref."))


def _forget(*, setting: str, **_signal: Any) -> None:
    if setting in ("DATABASES", "USE_TZ", "TIME_ZONE"):
        engine_reason.cache_clear()


setting_changed.connect(_forget, dispatch_uid="plectrum.orm.connection")
