"""The mixin for all serializers of a process, without editing them."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any, cast

from rest_framework.serializers import ListSerializer, Serializer

from .compile import REPRESENT, REPRESENT_LIST, current, our_list, ours, rows

__all__ = ["install", "installed", "uninstall"]


def install() -> None:
    """Takes over the output of every DRF serializer in this process, also of classes that exist already.

    ``PLECTRUM = {"DRF": True}`` in the settings calls this when Django starts. Calling it again changes nothing.
    """
    cast("Any", Serializer).to_representation = _represent
    cast("Any", ListSerializer).to_representation = _represent_rows


def uninstall() -> None:
    """Gives every serializer back to DRF."""
    cast("Any", Serializer).to_representation = REPRESENT
    cast("Any", ListSerializer).to_representation = REPRESENT_LIST


@contextlib.contextmanager
def installed() -> Generator[None]:
    """:func:`install` for the length of a ``with`` block, for tests."""
    before = cast("Any", Serializer).to_representation
    install()
    try:
        yield
    finally:
        if before is not _represent:
            uninstall()


def _represent(self: Any, instance: Any) -> Any:
    found = current(self, Serializer)
    return REPRESENT(self, instance) if found is None else found.represent(instance)


def _represent_rows(self: Any, data: Any) -> Any:
    return rows(self, data)


ours(_represent)
our_list(_represent_rows)
