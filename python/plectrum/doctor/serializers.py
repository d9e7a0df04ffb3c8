"""The project's serializers, and what :func:`plectrum.drf.explain` says of them."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from typing import Any

from rest_framework.serializers import Serializer

from plectrum.drf import FieldExplanation, explain

from .report import FieldReport, SerializerReport

__all__ = ["describe", "find", "is_projects", "name_of"]

_INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def find(package: str | None) -> list[type[Any]]:
    """Serializer classes of the project that are imported, by name.

    Parameters:
        package: only those in it; ``None`` for all.
    """
    found = {name_of(kind): kind for kind in _below(Serializer) if is_projects(kind, package)}
    return [found[name] for name in sorted(found)]


def is_projects(kind: type[Any], package: str | None) -> bool:
    """Whether a class is the project's own, and in the package where one is named."""
    module = kind.__module__
    if package is not None:
        return f"{module}.".startswith(f"{package}.")
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return not module.startswith(("rest_framework.", "plectrum.", "django.")) and not file.startswith(_INSTALLED)


def name_of(kind: type[Any]) -> str:
    """``module.Class``."""
    return f"{kind.__module__}.{kind.__qualname__}"


def describe(kind: type[Any]) -> SerializerReport:
    """One serializer, field by field."""
    try:
        found = explain(kind)
    except Exception as error:  # noqa: BLE001 - whatever the project's code raises is told, not passed on
        return SerializerReport(name_of(kind), error=f"{type(error).__name__}: {error}")
    fields = tuple(_field(field) for field in found.fields)
    return SerializerReport(found.name, fields, found.output.reason)


def _field(field: FieldExplanation) -> FieldReport:
    told = field.output if field.output.reason else field.input
    return FieldReport(field.name, field.kind, field.output.way, field.input.way, told.reason, told.remedy)


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
