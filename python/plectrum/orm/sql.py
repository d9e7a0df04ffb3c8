"""Django's SQL (``%s`` and a list of parameters) → a statement for Rust's drivers, or for Django's own cursor."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections

from . import slices
from .arithmetic import Number, constant, render
from .binds import Keys, LikeText, Slot
from .literal import postgres_literal, sqlite_literal

__all__ = ["Statement", "quantity"]

#: `IN` of an argument list, `%%`, `%s`. A list elsewhere is a plain placeholder.
_PLACEHOLDERS: Final = re.compile(r"IN \(PLECTRUM_ANY\(%s\)\)|PLECTRUM_ANY\(%s\)|%s|%%")
_NATIVE: Final = ("postgresql", "sqlite")


@dataclass(frozen=True)
class Constant:
    """A value known when the plan is made, as Django hands it to the driver."""

    value: Any


Leaf = Constant | Slot | Keys
Piece = str | Leaf


@dataclass(frozen=True)
class Statement:
    """SQL text with the values between its pieces.

    Parameters:
        pieces: text and placeholders in order.
        using: database alias.
    """

    pieces: tuple[Piece, ...]
    using: str

    @classmethod
    def of(cls, sql: str, parameters: Iterable[Any], using: str) -> Statement:
        """The statement Django's compiler wrote.

        Parameters:
            sql: with ``%s`` placeholders and ``%%`` for a percent sign.
            parameters: constants, :class:`Slot` and :class:`Keys`.
            using: database alias.
        """
        vendor = connections[using].vendor
        pieces: list[Piece] = []
        at = 0
        remaining = iter(parameters)
        for match in _PLACEHOLDERS.finditer(sql):
            pieces += _bounds(sql[at : match.start()], vendor)
            at = match.end()
            if match[0] == "%%":
                pieces.append("%")
            else:
                pieces += _placeholder(match[0], next(remaining), vendor)
        pieces += _bounds(sql[at:], vendor)
        return cls(tuple(_joined(pieces)), using)

    def native(self) -> tuple[str, list[dict[str, Any]]]:
        """SQL with ``$n`` (PostgreSQL) or ``?n`` (SQLite), and the binds as the Rust side reads them."""
        return _Numbering(self.using).write(self.pieces)

    def for_django(self, arguments: Sequence[Any], keys: Sequence[Any] = ()) -> tuple[str, list[Any]]:
        """SQL with ``%s`` and its parameters, for a cursor of Django's.

        Parameters:
            arguments: the execution's arguments.
            keys: the parent's keys.
        """
        text: list[str] = []
        parameters: list[Any] = []
        connection = connections[self.using]
        for piece in self.pieces:
            if isinstance(piece, str):
                text.append(piece.replace("%", "%%"))
                continue
            sql, values = _django_placeholder(piece, arguments, keys, connection)
            text.append(sql)
            parameters += values
        return "".join(text), parameters


class _Numbering:
    """Gives placeholders their numbers: the same slot has the same number everywhere."""

    def __init__(self, using: str) -> None:
        self.connection = connections[using]
        self.sign = "$" if self.connection.vendor == "postgresql" else "?"
        self.numbers: dict[Any, int] = {}
        self.binds: list[dict[str, Any]] = []

    def write(self, pieces: Sequence[Piece]) -> tuple[str, list[dict[str, Any]]]:
        return "".join(piece if isinstance(piece, str) else self._leaf(piece) for piece in pieces), self.binds

    def _leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, Slot):
            declared = "infer" if leaf.many else leaf.type
            number = self._number((leaf.index, declared, leaf.cast), {"arg": leaf.index, "type": declared})
            return _written(leaf.form, f"{self.sign}{number}", self.connection.vendor, leaf.cast)
        if isinstance(leaf, Keys):
            number = self._number("keys", {"keys": True, "type": "infer"})
            return _written("any", f"{self.sign}{number}", self.connection.vendor, "")
        if self.connection.vendor == "postgresql":
            return postgres_literal(leaf.value, self.connection)
        sql, value = sqlite_literal(leaf.value)
        if sql is not None:
            return sql
        return f"?{self._number(object(), {'const': value, 'type': 'infer'})}"

    def _number(self, key: Any, bind: dict[str, Any]) -> int:
        if key not in self.numbers:
            self.binds.append(bind)
            self.numbers[key] = len(self.binds)
        return self.numbers[key]


def _placeholder(text: str, value: Any, vendor: str) -> list[Piece]:
    if isinstance(value, LikeText):
        return [value.slot]
    if not isinstance(value, Slot | Keys):
        return [Constant(value)]
    if text.startswith("IN "):
        # PostgreSQL takes the list as one array; elsewhere the list itself decides what is written.
        return ["= ANY(", value, ")"] if vendor == "postgresql" else ["IN (", value, ")"]
    if isinstance(value, Slot) and value.form == "any":
        return [dataclasses.replace(value, form="plain")]
    return [value]


def _written(form: str, placeholder: str, vendor: str, cast: str) -> str:
    """SQL around a placeholder."""
    if form == "like":
        for character in ("\\", "%", "_"):
            placeholder = f"REPLACE({placeholder}, '{character}', '\\{character}')"
        return placeholder
    if form == "json":
        return f"to_jsonb({placeholder})" if vendor == "postgresql" else f"json_quote({placeholder})"
    if form == "any" and vendor == "sqlite":
        return f"SELECT value FROM json_each({placeholder})"
    return f"{placeholder}::{cast}" if cast and vendor == "postgresql" else placeholder


def _django_placeholder(
    leaf: Leaf, arguments: Sequence[Any], keys: Sequence[Any], connection: Any
) -> tuple[str, list[Any]]:
    if isinstance(leaf, Constant):
        return "%s", [leaf.value]
    value = list(keys) if isinstance(leaf, Keys) else arguments[leaf.index]
    cast = leaf.cast if isinstance(leaf, Slot) else ""
    if leaf.form != "any":
        return _written(leaf.form, "%s", connection.vendor, cast).replace("'%'", "'%%'").replace("'\\%'", "'\\%%'"), [
            value
        ]
    if connection.vendor == "postgresql":
        return _written("any", "%s", "postgresql", cast), [list(value)]
    items = list(value)
    return (", ".join(["%s"] * len(items)), items) if items else ("NULL", [])


def _bounds(text: str, vendor: str) -> list[Piece]:
    """Text with the marks of slices turned back into parameters."""
    pieces: list[Piece] = []
    at = 0
    for match in slices.LIMIT_OR_OFFSET.finditer(text):
        pieces.append(text[at : match.start()])
        at = match.end()
        if match[1] == "OFFSET":
            pieces += ["OFFSET ", *quantity(slices.decode_offset(int(match[2])), vendor)]
        else:
            pieces += ["LIMIT ", *_limit(*slices.decode_limit(int(match[2])), vendor)]
    return [*pieces, text[at:]]


def _limit(start: Number, stop: Number, vendor: str) -> list[Piece]:
    """``stop - start``, never below zero: Django's slice is empty where stop comes before start."""
    length = Number(operator="-", left=stop, right=start)
    fixed = constant(length)
    if fixed is not None:
        return [str(max(fixed, 0))]
    if constant(start) == 0:
        return quantity(stop, vendor)
    simple = length.polynomial()
    only = next(iter(simple)) if len(simple) == 1 else ()
    if len(only) == 1 and simple[only] == 1:
        length = Number(next(p for p in length.parameters() if p.name == only[0]))
    return ["GREATEST(" if vendor == "postgresql" else "MAX(", *quantity(length, vendor), ", 0)"]


def quantity(number: Number, vendor: str) -> list[Piece]:
    """SQL of an arithmetic of integer parameters.

    Parameters:
        number: the arithmetic.
        vendor: the database.
    """
    cast = "bigint" if vendor == "postgresql" else ""
    return render(number, lambda param: [Slot(param.index, "int", cast=cast, name=param.name)])


def _joined(pieces: Iterable[Piece]) -> Iterable[Piece]:
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            yield text
        yield piece
        text = ""
    if text:
        yield text
