"""What Django and the database refuse → 422 and 409 with the field named."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as Invalid
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError, RestrictedError

from plectrum.errors import Conflict, HTTPException, ValidationError

__all__ = ["conflict_errors", "invalid_errors", "refusals"]

Problem = dict[str, Any]
Loc = Sequence[str | int]

_KEY = re.compile(r"Key \((?P<columns>[^)]*)\)=")
_SQLITE = re.compile(r"(?P<what>UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (?P<where>.*))?")
#: SQLSTATE, and what SQLite says, → type and message of an error.
_KINDS: dict[str, tuple[str, str]] = {
    "23505": ("unique", "A row with this value exists already."),
    "23503": ("foreign_key", "The row it refers to does not exist, or others refer to it."),
    "23502": ("required", "This value must not be null."),
    "23514": ("check", "The value violates a constraint of the database."),
    "23P01": ("exclusion", "The value conflicts with that of another row."),
}
_SQLITE_CODES = {"UNIQUE": "23505", "NOT NULL": "23502", "CHECK": "23514", "FOREIGN KEY": "23503"}


@contextlib.contextmanager
def refusals(model: Any, loc: Loc = ("body",)) -> Generator[None]:
    """Raises plectrum's errors for Django's: put it around ``transaction.atomic``.

    Parameters:
        model: whose fields are named.
        loc: place of the row in the request.

    Errors:
        ValidationError: 422, from ``full_clean`` and from values that do not fit a column.
        Conflict: 409, from constraints of the database and protected relations.
    """
    try:
        yield
    except Invalid as error:
        raise ValidationError(invalid_errors(error, loc)) from error
    except (ProtectedError, RestrictedError) as error:
        raise _protected(error, loc) from error
    except IntegrityError as error:
        errors = conflict_errors(error, model, loc)
        raise Conflict(errors[0]["msg"], extra={"errors": errors}) from error
    except DataError as error:
        message = str(error).partition("\n")[0]
        raise ValidationError([{"loc": [*loc], "type": "invalid", "msg": message}]) from error


def invalid_errors(error: Invalid, loc: Loc) -> list[Problem]:
    """The errors of Django's ``ValidationError``, each at its field.

    Parameters:
        error: of ``full_clean``, ``clean`` or a validator.
        loc: place of the row in the request.
    """
    by_field: dict[str, list[Invalid]] = getattr(error, "error_dict", None) or {NON_FIELD_ERRORS: error.error_list}
    return [
        {"loc": [*loc, *place], "type": item.code or "invalid", "msg": " ".join(item.messages)}
        for name, items in by_field.items()
        for item in items
        for place in _places(name, item)
    ]


def _places(name: str, item: Invalid) -> list[list[str]]:
    """Where an error belongs; one of several fields together belongs to each of them."""
    if name != NON_FIELD_ERRORS:
        return [[name]]
    together = (item.params or {}).get("unique_check") or ()
    return [[field] for field in together] or [[]]


def conflict_errors(error: IntegrityError, model: Any, loc: Loc) -> list[Problem]:
    """The errors behind a violated constraint.

    Parameters:
        error: as the database driver's is wrapped by Django.
        model: whose columns are named.
        loc: place of the row in the request.
    """
    code, columns, constraint = _read(error)
    kind, message = _KINDS.get(code, ("integrity", "The database refuses the row."))
    names = [_field_of(model, column) for column in columns] or _fields_of_constraint(model, constraint)
    named: Problem = {"constraint": constraint} if constraint else {}
    places: list[list[str]] = [[name] for name in names] or [[]]
    return [{"loc": [*loc, *place], "type": kind, "msg": message, **named} for place in places]


def _read(error: IntegrityError) -> tuple[str, list[str], str | None]:
    """SQLSTATE, columns and name of the constraint, as far as the driver tells."""
    cause: Any = error.__cause__
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is not None:
        found = _KEY.search(diagnosis.message_detail or "")
        columns = [part.strip(' "') for part in found["columns"].split(",")] if found else []
        columns = columns or ([diagnosis.column_name] if diagnosis.column_name else [])
        return str(cause.sqlstate), columns, diagnosis.constraint_name
    found = _SQLITE.search(str(error))
    if found is None:
        return "", [], None
    where = [part.strip() for part in (found["where"] or "").split(",") if part.strip()]
    code = _SQLITE_CODES[found["what"]]
    if found["what"] == "CHECK":
        return code, [], where[0] if where else None
    return code, [part.rpartition(".")[2] for part in where if not part.startswith("index ")], None


def _field_of(model: Any, column: str) -> str:
    for field in model._meta.concrete_fields:
        if field.column == column:
            return str(field.name)
    return column


def _fields_of_constraint(model: Any, name: str | None) -> list[str]:
    constraint = next((item for item in model._meta.constraints if item.name == name), None)
    return list(getattr(constraint, "fields", ()))


def _protected(error: ProtectedError | RestrictedError, loc: Loc) -> HTTPException:
    holders: Any = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    names = sorted({str(holder._meta.verbose_name) for holder in holders})
    message = f"Other rows refer to it: {', '.join(names)}."
    return Conflict(message, extra={"errors": [{"loc": [*loc], "type": "protected", "msg": message}]})
