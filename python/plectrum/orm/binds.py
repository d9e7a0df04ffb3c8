"""What stands in a statement's placeholders instead of a constant."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from .frames import caller

__all__ = ["BindType", "Form", "Keys", "LikeText", "Slot"]

#: `BindType` of the Rust side: the type a placeholder is declared with.
BindType = Literal[
    "infer", "bool", "int", "float", "decimal", "text", "uuid", "date", "time", "datetime", "datetime_tz", "duration",
    "bytes", "json",
]  # fmt: skip

#: How a slot is written: bare, escaped for LIKE, as a JSON value, or as the list of an `IN`.
Form = Literal["plain", "like", "json", "any"]


@dataclass(frozen=True)
class Slot:
    """A value that each execution brings.

    Parameters:
        index: argument number of the execution.
        type: declared type (of one item, where the argument is a list).
        form: how it is written.
        cast: SQL type of the list, where the server could infer a narrower one.
        name: for people.
        many: whether the argument is a list.
    """

    index: int
    type: BindType = "infer"
    form: Form = "plain"
    cast: str = ""
    name: str = ""
    many: bool = False

    def __str__(self) -> str:
        # SQLite's `iexact` is LIKE: Django escapes the text in Python, which has to be done in SQL here.
        if caller().is_function("django.db.backends.base.operations", "prep_for_like_query"):
            return LikeText(dataclasses.replace(self, form="like"))
        return repr(self)


@dataclass(frozen=True)
class Keys:
    """The keys of the parent's rows (in the statement of a relation)."""

    form: Form = "any"


class LikeText(str):
    """A slot after ``prep_for_like_query``.

    Parameters:
        slot: the slot, to be escaped in SQL.
    """

    __slots__ = ("slot",)
    slot: Slot

    def __new__(cls, slot: Slot) -> LikeText:
        """A marker that survives the replacements Django makes on text."""
        text = super().__new__(cls, "")
        text.slot = slot
        return text

    def replace(self, *replacement: object) -> LikeText:
        """Itself: SQL does the replacing."""
        return self
