"""Who makes a request, in the rules of a type: symbolic, bound by Rust on each request."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Value

from plectrum.orm.internal import is_a
from plectrum.schema import CompiledValidator, InvalidError

from .arguments import Arguments

__all__ = ["KnownViewer", "Viewer"]


class Viewer:
    """What a rule may ask of the request. What a request does not have is NULL: comparisons with it let no row pass.

    Parameters:
        arguments: of the plan in the making.
    """

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments

    def subject(self, type: Any = str) -> Any:
        """Who makes the request: the user's id, a token's ``sub``, the owner of an API key.

        Parameters:
            type: Python type it is compared as.
        """
        return self._arguments.of_viewer("subject", "", type)

    def claim(self, name: str, type: Any = str) -> Any:
        """A claim of the token.

        Parameters:
            name: such as ``"tenant"``.
            type: Python type it is compared as.
        """
        return self._arguments.of_viewer("claim", name, type)

    def header(self, name: str, type: Any = str) -> Any:
        """A header of the request.

        Parameters:
            name: such as ``"x-tenant"``.
            type: Python type it is compared as.
        """
        return self._arguments.of_viewer("header", name.lower(), type)


class KnownViewer(Viewer):
    """Who makes a mutation: its values are at hand; ``None`` where the request does not have one.

    Parameters:
        subject: the user's id, a token's ``sub``, the owner of an API key.
        claims: of the token, as JSON text; empty where there are none.
        headers: by name in lower case.
    """

    def __init__(self, subject: str | None, claims: str, headers: Mapping[str, str]) -> None:
        super().__init__(Arguments())
        self._subject = subject
        self._claims: dict[str, Any] = json.loads(claims) if claims else {}
        self._headers = headers

    def subject(self, type: Any = str) -> Any:
        """As :meth:`Viewer.subject`."""
        return _as(type, self._subject)

    def claim(self, name: str, type: Any = str) -> Any:
        """As :meth:`Viewer.claim`."""
        return _as(type, self._claims.get(name))

    def header(self, name: str, type: Any = str) -> Any:
        """As :meth:`Viewer.header`."""
        return _as(type, self._headers.get(name.lower()))

    def in_rules(self) -> Viewer:
        """For rules of rows, which compare in SQL: what is missing is NULL there, too."""
        return _RuleViewer(self)


class _RuleViewer(Viewer):
    def __init__(self, known: KnownViewer) -> None:
        super().__init__(Arguments())
        self._known = known

    def subject(self, type: Any = str) -> Any:
        return Value(self._known.subject(type))

    def claim(self, name: str, type: Any = str) -> Any:
        return Value(self._known.claim(name, type))

    def header(self, name: str, type: Any = str) -> Any:
        return Value(self._known.header(name, type))


def _as(type: Any, value: Any) -> Any:
    """A value as its Python type; ``None`` where it is none of its values, as on the way of queries."""
    if value is None:
        return None
    validator = _validator(type)
    try:
        return validator.validate(value)
    except InvalidError:
        pass
    try:
        return validator.validate_json(value) if is_a(value, str) else None
    except InvalidError:
        return None


@functools.cache
def _validator(type: Any) -> CompiledValidator[Any]:
    return CompiledValidator(type)
