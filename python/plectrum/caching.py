"""Answers that are kept for others, and requests that may be sent again. See ``docs/caching.md``."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import tempfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import _core
from .errors import ConfigurationError, line_of

if TYPE_CHECKING:
    from .compiled import CompiledRoute
    from .conf import Settings
    from .routing import Options, Route

__all__ = ["Cache", "Idempotency", "describe_cache", "describe_once", "invalidate", "tags_file", "tags_path", "watch"]

#: Where the workers of one server note what has changed; the name of a file that all of them map.
_TAGS = "PLECTRUM_INTERNAL_TAGS"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a name nobody can guess is made in it
_TAGS_BYTES = 4096 * 8
_log = logging.getLogger("plectrum.cache")
_DAY = 86_400.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cache:
    """How a GET route's answers are kept.

    Parameters:
        seconds: for how long at most.
        vary: request headers that the answer depends on, such as ``"Accept-Language"``.
        per: ``"user"``: each gets their own, and requests whose ``Authorization`` or ``Cookie`` no ``auth=`` of the
            route has read are not served from the cache; ``"all"``: the answer does not depend on who asks.
        models: Django models that the answer is made of; when a row of one is saved or deleted, it is forgotten. Of a
            native route they are known.
    """

    seconds: float
    vary: tuple[str, ...] = ()
    per: Literal["user", "all"] = "user"
    models: tuple[Any, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Idempotency:
    """How a route takes ``Idempotency-Key``.

    Parameters:
        seconds: for how long the answer to a key is known.
        required: refuse requests without one.

    Source: draft-ietf-httpapi-idempotency-key-header.
    """

    seconds: float = _DAY
    required: bool = False


def check(options: Options, method: str, line: str) -> None:
    """Refuses what no request could be answered with.

    Errors:
        ConfigurationError: names the line and the option.
    """
    cache, once = cache_of(options.cache, line), once_of(options.idempotent, line)
    if cache is not None and method != "GET":
        raise ConfigurationError(f"{line}: cache= keeps answers to GET, not to {method}.")
    if once is not None and method in ("GET", "HEAD", "OPTIONS"):
        raise ConfigurationError(f"{line}: {method} may always be sent again; idempotent= is for changes.")
    if once is not None and options.stream:
        raise ConfigurationError(f"{line}: idempotent= compares bodies, and stream=True leaves them to the handler.")
    for found in (cache, once):
        if found is not None and not 0 < found.seconds <= 366 * _DAY:
            raise ConfigurationError(f"{line}: {found!r} must hold for some seconds, at most a year.")


def cache_of(given: Any, line: str) -> Cache | None:
    """What ``cache=`` comes to: a number is of seconds."""
    if given is None or isinstance(given, Cache):
        return given
    if type(given) in (int, float):
        return Cache(seconds=given)
    raise ConfigurationError(f"{line}: cache= is a number of seconds or a plectrum.caching.Cache, not {given!r}.")


def once_of(given: Any, line: str) -> Idempotency | None:
    """What ``idempotent=`` comes to."""
    if isinstance(given, Idempotency):
        return given
    if type(given) is bool:
        return Idempotency() if given else None
    raise ConfigurationError(f"{line}: idempotent= is True or a plectrum.caching.Idempotency, not {given!r}.")


def describe_cache(compiled: CompiledRoute) -> dict[str, Any] | None:
    """As the Rust side reads it (``crates/engine/src/cache/mod.rs``)."""
    cache = cache_of(compiled.route.options.cache, "")
    if cache is None:
        return None
    return {
        "seconds": cache.seconds,
        "vary": [name.lower() for name in cache.vary],
        "everybody": cache.per == "all",
        "tags": sorted({_tag(model) for model in _models(compiled, cache)}),
    }


def describe_once(route: Route) -> dict[str, Any] | None:
    """As the Rust side reads it."""
    once = once_of(route.options.idempotent, "")
    return dataclasses.asdict(once) if once else None


def _tag(model: Any) -> str:
    return str(model._meta.concrete_model._meta.label_lower)


def _models(compiled: CompiledRoute, cache: Cache) -> Iterator[Any]:
    """Models whose rows an answer is made of."""
    yield from cache.models
    if compiled.route.native is None or compiled.planner is None or cache.models:
        return
    from django.apps import apps

    tables = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    operation: Any = getattr(compiled.planner, "base", None)
    text = " ".join(_core_statements(operation)) if operation is not None else ""
    yield from (model for table, model in tables.items() if f'"{table}"' in text)


def _core_statements(operation: Any) -> list[str]:
    from .bridge import compiled

    statements: list[str] = compiled(operation).statements
    return statements


def invalidate(*models: Any) -> None:
    """Forgets every kept answer that is made of rows of these models, on all workers.

    For what sends no signals: ``QuerySet.update()``, ``bulk_create()``, SQL. In a transaction it is done again at
    its end: until then others see, and keep, the rows of before.

    Parameters:
        models: model classes.
    """
    from django.db import transaction

    names = sorted({_tag(model) for model in models})
    _changed(names)
    for alias in _open_transactions():
        transaction.on_commit(functools.partial(_changed, names), using=alias)


def _open_transactions() -> list[str]:
    from django.db import connections

    return [connection.alias for connection in connections.all(initialized_only=True) if connection.in_atomic_block]


def _changed(names: list[str]) -> None:
    try:
        _invalidator().changed(names)
    except ConnectionError as error:
        _log.error("Redis was not told that %s changed; answers live on until they expire: %s", names, error)


@functools.cache
def _invalidator() -> _core.Invalidator:
    from .conf import current

    settings = current()
    return _core.Invalidator(tags_path(), settings.cache_redis, settings.cache_prefix)


def watch(routes: Iterable[CompiledRoute]) -> None:
    """Has Django's signals forget answers that are made of what changes; called when an API is compiled."""
    if not any(route.route.options.cache is not None for route in routes) or not _has_models():
        return
    from django.db.models.signals import m2m_changed, post_delete, post_save

    for signal in (post_save, post_delete):
        signal.connect(_row_changed, dispatch_uid="plectrum.caching")
    m2m_changed.connect(_relation_changed, dispatch_uid="plectrum.caching")


def _has_models() -> bool:
    import sys

    if "django" not in sys.modules:
        return False
    from django.apps import apps

    return apps.ready


def _row_changed(sender: Any, **_: Any) -> None:
    invalidate(sender)


def _relation_changed(sender: Any, action: str, instance: Any, model: Any, **_: Any) -> None:
    if action.startswith("post_"):
        invalidate(sender, type(instance), model)


def check_workers(routes: Iterable[CompiledRoute], settings: Settings | None) -> None:
    """Refuses keys that only one of several workers would know.

    Errors:
        ConfigurationError: names the route.
    """
    if settings is None or settings.workers <= 1 or settings.cache_redis is not None:
        return
    for compiled in routes:
        if once_of(compiled.route.options.idempotent, "") is not None:
            raise ConfigurationError(
                f"{line_of(compiled.route.handler)}: idempotent= with {settings.workers} workers: a request that "
                "is sent again may reach another one. Set CACHE_REDIS, which all of them share, or WORKERS to 1."
            )


@contextlib.contextmanager
def tags_file() -> Generator[dict[str, str]]:
    """Makes the memory in which workers note what has changed, as long as the server is there.

    Returns:
        Environment variables for the workers.
    """
    directory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    with tempfile.NamedTemporaryFile(prefix="plectrum-tags-", dir=directory) as file:
        file.truncate(_TAGS_BYTES)
        yield {_TAGS: file.name}


def tags_path() -> str | None:
    """The file of this server; ``None`` outside of one."""
    path = os.environ.get(_TAGS)
    return path if path and Path(path).exists() else None
