"""Every exception Plectrum raises or understands.

Start-up errors (:class:`PlanError`, :class:`SchemaError`, :class:`ConfigurationError`) say what was found, what was
expected and the fix, and name the user's own line (:func:`line_of`, :func:`line_of_error`). Request errors
(:class:`HTTPException` and its kinds) become RFC 9457 problem documents.
"""

from __future__ import annotations

import functools
import http
import inspect
import sysconfig
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

__all__ = [
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "Forbidden",
    "HTTPException",
    "NotFound",
    "PlanError",
    "PlectrumError",
    "SchemaError",
    "ServiceUnavailable",
    "Unauthorized",
    "ValidationError",
    "line_of",
    "line_of_caller",
    "line_of_error",
    "place",
]


class PlectrumError(Exception):
    """Base class of everything Plectrum raises on its own account."""


class ConfigurationError(PlectrumError):
    """A setting, an argument or a declaration that cannot be used as it is."""


class SchemaError(PlectrumError):
    """A type Plectrum cannot validate or serialize, or a constraint that does not fit its type."""

    #: Whether the message begins with the user's line.
    located = False

    def at(self, thing: Any) -> SchemaError:
        """The same error, beginning with the line ``thing`` was written at, unless it names a line already."""
        if self.located:
            return self
        error = SchemaError(f"{line_of(thing)}: {self}")
        error.located = True
        return error


class PlanError(PlectrumError):
    """A query that cannot be planned at start-up."""


class HTTPException(PlectrumError):  # noqa: N818 - the name every framework of the field uses
    """Answers the request with an error status.

    Parameters:
        status: HTTP status, 400 to 599.
        detail: for people, becomes ``detail`` of the problem document; left out where ``None``.
        headers: response headers to add.
        type: URI naming the kind of problem (RFC 9457, section 3.1.1).
        title: short name of the kind of problem; the status's standard phrase where ``None``.
        extra: further members of the problem document.

    Errors:
        ValueError: ``status`` is not an error status.
    """

    #: Detail where none is given.
    default_detail: ClassVar[str | None] = None

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        type: str = "about:blank",
        title: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"HTTPException needs an error status from 400 to 599, not {status}.")
        self.status = status
        self.detail = self.default_detail if detail is None else detail
        self.headers = dict(headers or {})
        self.type = type
        self.title = _phrase(status) if title is None else title
        self.extra = dict(extra or {})
        super().__init__(f"{status} {self.title}: {self.detail}" if self.detail else f"{status} {self.title}")

    def problem(self) -> dict[str, Any]:
        """The problem document (RFC 9457, section 3): ``type``, ``title``, ``status``, ``detail`` and extra members."""
        detail = {} if self.detail is None else {"detail": self.detail}
        return {"type": self.type, "title": self.title, "status": self.status, **detail, **self.extra}


class _Kind(HTTPException):
    fixed_status: ClassVar[int]

    def __init__(self, detail: str | None = None, **options: Any) -> None:
        super().__init__(self.fixed_status, detail, **options)


class BadRequest(_Kind):
    """400. Parameters: as :class:`HTTPException`, without ``status``."""

    fixed_status = http.HTTPStatus.BAD_REQUEST


class Unauthorized(_Kind):
    """401. Say how to authenticate in ``headers={"WWW-Authenticate": …}`` (RFC 9110, section 15.5.2)."""

    fixed_status = http.HTTPStatus.UNAUTHORIZED


class Forbidden(_Kind):
    """403. Parameters: as :class:`HTTPException`, without ``status``."""

    fixed_status = http.HTTPStatus.FORBIDDEN


class NotFound(_Kind):
    """404. Parameters: as :class:`HTTPException`, without ``status``."""

    fixed_status = http.HTTPStatus.NOT_FOUND


class Conflict(_Kind):
    """409. Parameters: as :class:`HTTPException`, without ``status``."""

    fixed_status = http.HTTPStatus.CONFLICT


class ServiceUnavailable(_Kind):
    """503. ``retry_after`` in seconds becomes the ``Retry-After`` header (RFC 9110, section 10.2.3)."""

    fixed_status = http.HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None, **options: Any) -> None:
        super().__init__(detail, **options)
        if retry_after is not None:
            self.headers.setdefault("Retry-After", str(retry_after))


class ValidationError(_Kind):
    """422, raised by a handler that found its input wrong.

    Parameters:
        errors: one mapping per mistake: ``loc`` (path to the value), ``type`` (stable code), ``msg`` (for people).
        detail: as :class:`HTTPException`.
    """

    fixed_status = 422

    def __init__(self, errors: list[dict[str, Any]], detail: str | None = None, **options: Any) -> None:
        super().__init__(detail, **options)
        self.errors = errors
        self.extra["errors"] = errors


#: Attribute of a function that Plectrum made for the user: where the user asked for it.
DECLARED_AT = "__plectrum_declared_at__"


def line_of_caller() -> str:
    """The innermost line of the user's own code that is running, as ``file:line``."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_not_the_user()):
        frame = frame.f_back
    return "?" if frame is None else place(frame.f_code.co_filename, frame.f_lineno)


def line_of(thing: Any) -> str:
    """Where a function or class was written, as ``file:line``; its module and name where Python does not know.

    Parameters:
        thing: a function, method, class, or something wrapping one (decorated functions are followed).
    """
    target = inspect.unwrap(thing.func if isinstance(thing, functools.partial) else thing)
    if (declared := getattr(target, DECLARED_AT, None)) is not None:
        return str(declared)
    try:
        file = inspect.getsourcefile(target)
        line = target.__code__.co_firstlineno if hasattr(target, "__code__") else inspect.getsourcelines(target)[1]
    except (OSError, TypeError):
        file, line = None, 0
    if file is None:
        return f"{getattr(target, '__module__', '?')}.{getattr(target, '__qualname__', repr(target))}"
    return place(file, line)


def line_of_error(error: BaseException) -> str | None:
    """The innermost line of the user's own code an exception came through, as ``file:line``.

    Parameters:
        error: a raised exception.

    Returns:
        ``None`` where no frame is outside Plectrum, installed packages and the standard library.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(_not_the_user()) and not frame.filename.startswith("<"):
            return place(frame.filename, frame.lineno or 0)
    return None


@functools.cache
def _not_the_user() -> tuple[str, ...]:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (str(Path(__file__).parent), *places)


def place(file: str, line: int) -> str:
    """``file:line``, relative to the working directory where the file is below it."""
    path = Path(file)
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else file}:{line}"


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Client Error" if status < 500 else "Server Error"
