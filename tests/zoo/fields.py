"""Custom fields, one for each way of saying how values become JSON."""

from __future__ import annotations

from typing import Any

from django.db import models

from plectrum.orm import register_writer


class Money:
    """What `MoneyField` makes of an integer."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    def __hash__(self) -> int:
        return hash(self.cents)

    def __str__(self) -> str:
        sign = "-" if self.cents < 0 else ""
        return f"{sign}{abs(self.cents) // 100}.{abs(self.cents) % 100:02}"


class MoneyField(models.Field):  # type: ignore[type-arg]
    """An integer in the database, `Money` in Python, `value_to_string()` in JSON."""

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Money | None:
        return None if value is None else Money(value)

    def to_python(self, value: Any) -> Money | None:
        return value if value is None or isinstance(value, Money) else Money(int(value))

    def get_prep_value(self, value: Any) -> int | None:
        return value.cents if isinstance(value, Money) else super().get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))


class WordsField(models.TextField):  # type: ignore[type-arg]
    """Text in the database, a list of words in Python, what its registered writer says in JSON."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> list[str] | None:
        return None if value is None else value.split(" ")

    def get_prep_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value


register_writer(WordsField, lambda words: {"words": words, "count": len(words)})


class UpperField(models.CharField):  # type: ignore[type-arg]
    """Changes what is stored, not how it is read: as good as Django's own."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.upper() if isinstance(value, str) else value


class CITextField(models.TextField):  # type: ignore[type-arg]
    """A `citext` column, as migrations from Django < 5.1 left them."""

    def db_type(self, connection: Any) -> str:
        return "citext"
