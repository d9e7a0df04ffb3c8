"""``InvalidError``: everything that is wrong with an input, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..params import MISSING

if TYPE_CHECKING:
    from django.core.exceptions import ValidationError as DjangoValidationError

__all__ = ["InvalidError", "refused"]

_Told = tuple[tuple[str | int, ...], str, str, dict[str, Any]]


class InvalidError(ValidationError):
    """Input that does not fit a schema. A handler that lets it through answers 422 with its table.

    Parameters:
        errors: the table, one mapping per mistake: ``loc`` (keys and positions from the outside in), ``type`` (stable
            code), ``msg`` (for people) and, where the message has any, ``params``.
    """

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors, detail=_summary(errors))

    def as_drf(self, data: object = MISSING) -> Any:
        """The errors as ``serializer.errors`` has them, translated: nested by field, ``ErrorDetail`` with DRF's codes.

        Parameters:
            data: the input, where messages shall quote from it.
        """
        from .wording import as_drf

        return as_drf(self.errors, data)

    def as_django(self, data: object = MISSING) -> DjangoValidationError:
        """The errors as Django's ``ValidationError``, translated, with the codes of model validation, by field.

        Parameters:
            data: the input, where messages shall quote from it.
        """
        from .wording import as_django

        return as_django(self.errors, data)


def _summary(errors: Sequence[dict[str, Any]]) -> str:
    told = [f"{'.'.join(map(str, error['loc'])) or 'value'}: {error['msg']}" for error in errors[:3]]
    more = f" … and {len(errors) - 3} more" if len(errors) > 3 else ""
    return "; ".join(told) + more


def refused(errors: Sequence[_Told]) -> InvalidError:
    """The exception for what Rust found: ``(loc, code, message, params)`` each."""
    return InvalidError([_row(*error) for error in errors])


def _row(loc: tuple[str | int, ...], code: str, message: str, params: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"loc": list(loc), "type": code, "msg": message}
    return {**row, "params": params} if params else row
