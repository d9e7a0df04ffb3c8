"""Tries serializers on the project's own rows: how long they take, and what they load row by row."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import warnings
from collections.abc import Callable, Generator
from typing import Any

from django.db import router, transaction

from plectrum.drf import install, installed, uninstall
from plectrum.drf.switch import is_installed
from plectrum.nplusone import NPlusOneWarning, detect_nplusone

from .report import Issue, Measured, Report
from .serializers import name_of
from .views import views

__all__ = ["measure"]

#: Times each way is tried; the quickest counts.
_ROUNDS = 3
#: Enough to tell rows that load something from rows that do not.
_FEW = 5


def measure(report: Report, kinds: list[type[Any]], package: str | None, rows: int) -> None:
    """Adds measurements and N+1 findings to a report.

    Parameters:
        report: to be added to.
        kinds: serializer classes, those of the report.
        package: whose views are tried; ``None`` for all.
        rows: rows to measure on, at most.
    """
    by_name = {name_of(kind): kind for kind in kinds}
    report.serializers = [
        dataclasses.replace(found, measured=_measured(by_name[found.name], rows)) if found.name in by_name else found
        for found in report.serializers
    ]
    for _, view in views(package):
        report.issues += _loads(view)


def _measured(kind: type[Any], limit: int) -> Measured | None:
    model: Any = getattr(getattr(kind, "Meta", None), "model", None)
    if model is None:
        return None
    with _rolled_back(model), contextlib.suppress(Exception):
        rows: list[Any] = list(model._default_manager.all()[:limit])
        if not rows:
            return None

        def represent() -> None:
            made: Any = kind(rows, many=True)
            _ = made.data

        represent()  # relations are loaded once, for both
        with _without_rust():
            python = _quickest(represent)
        with installed():
            rust = _quickest(represent)
        each = 1e6 / len(rows)
        return Measured(len(rows), round(python * each, 2), round(rust * each, 2))
    return None


def _quickest(work: Callable[[], None]) -> float:
    times: list[float] = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _loads(view: Any) -> list[Issue]:
    """What a view's queryset and serializer load row by row."""
    serializer, queryset = getattr(view, "serializer_class", None), getattr(view, "queryset", None)
    if serializer is None or queryset is None:
        return []
    where = name_of(view)
    try:
        with _rolled_back(queryset.model), warnings.catch_warnings(), detect_nplusone() as detector:
            warnings.simplefilter("ignore", NPlusOneWarning)
            made = serializer(queryset.all()[:_FEW], many=True, context={"view": view(), "request": None})
            _ = made.data
    except Exception as error:  # noqa: BLE001 - it may need its request
        return [
            Issue("n+1", "info", where, f"it could not be tried without a request: {type(error).__name__}: {error}")
        ]
    return [
        Issue(
            "n+1",
            "error",
            where,
            f"{found.place} loads {found.model}.{found.relation} row by row",
            f"queryset = {found.root}.objects.{found.fix}",
        )
        for found in detector.findings
    ]


@contextlib.contextmanager
def _rolled_back(model: Any) -> Generator[None]:
    """Whatever a serializer does to the database is undone."""
    using = router.db_for_read(model)
    with transaction.atomic(using=using):
        try:
            yield
        finally:
            transaction.set_rollback(True, using=using)


@contextlib.contextmanager
def _without_rust() -> Generator[None]:
    before = is_installed()
    uninstall()
    try:
        yield
    finally:
        if before:
            install()
