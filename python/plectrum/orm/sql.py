"""Django's SQL (``%s`` and a list of parameters) → a statement for Rust's drivers, or for Django's own cursor."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections

from . import slices
from .adapt import adapted
from .arithmetic import Number, constant, render
from .binds import Keys, LikeText, Slot
from .literal import postgres_literal, sqlite_literal

__all__ = ["Statement"]

#: `IN` of an argument list, `%%`, `%s`. A list elsewhere is a plain placeholder.
_PLACEHOLDERS: Final = re.compile(r"IN \(PLECTRUM_ANY\(%s\)\)|PLECTRUM_ANY\(%s\)|%s|%%")
_SQL_TYPES: Final[dict[str, str]] = {
    "bool": "boolean",
    "int": "bigint",
    "float": "double precision",
    "decimal": "numeric",
    "text": "text",
    "uuid": "uuid",
    "date": "date",
    "time": "time",
    "datetime": "timestamp",
    "datetime_tz": "timestamptz",
    "duration": "interval",
    "bytes": "bytea",
    "json": "jsonb",
}


@dataclass(frozen=True)
class Constant:
    """A value known when the plan is made, as Django hands it to the driver."""

    value: Any


@dataclass(frozen=True)
class Quantity:
    """A slice bound: arithmetic of integer arguments.

    Parameters:
        number: the arithmetic.
        clamped: whether a negative result counts as zero.
    """

    number: Number
    clamped: bool = False


Leaf = Constant | Slot | Keys | Quantity
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
            pieces += _bounds(sql[at : match.start()])
            at = match.end()
            if match[0] == "%%":
                pieces.append("%")
            else:
                pieces += _placeholder(match[0], next(remaining), vendor)
        pieces += _bounds(sql[at:])
        return cls(tuple(_joined(pieces)), using)

    def native(self) -> tuple[str, list[dict[str, Any]]]:
        """SQL with ``$n`` (PostgreSQL) or ``?n`` (SQLite), and the binds as the Rust side reads them."""
        return _Numbering(self.using).write(self.pieces)

    def outline(self) -> tuple[str, list[dict[str, Any]]]:
        """SQL with ``%s`` for people, and whether it is asked for keys: no driver of Rust's executes it."""
        text = "".join(piece if isinstance(piece, str) else "%s" for piece in self.pieces)
        return text, [{"keys": True, "type": "infer"}] if any(isinstance(piece, Keys) for piece in self.pieces) else []

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
            # PostgreSQL infers the array's type; SQLite stores each item by its own.
            infers = leaf.many and self.connection.vendor == "postgresql"
            declared = "infer" if infers else leaf.type
            number = self._number((leaf.index, declared, leaf.cast), {"arg": leaf.index, "type": declared})
            return _written(leaf, f"{self.sign}{number}", self.connection.vendor)
        if isinstance(leaf, Keys):
            number = self._number("keys", {"keys": True, "type": "infer"})
            return _written(leaf, f"{self.sign}{number}", self.connection.vendor)
        if isinstance(leaf, Quantity):
            return self._quantity(leaf)
        if self.connection.vendor == "postgresql":
            return postgres_literal(leaf.value, self.connection)
        sql, value = sqlite_literal(leaf.value)
        if sql is not None:
            return sql
        return f"?{self._number(object(), {'const': value, 'type': 'infer'})}"

    def _quantity(self, leaf: Quantity) -> str:
        is_postgres = self.connection.vendor == "postgresql"
        cast = "bigint" if is_postgres else ""
        text = "".join(render(leaf.number, lambda p: [self._leaf(Slot(p.index, "int", cast=cast, name=p.name))]))
        if not leaf.clamped:
            return text
        return f"GREATEST({text}, 0)" if is_postgres else f"MAX({text}, 0)"

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


def _written(leaf: Slot | Keys, placeholder: str, vendor: str) -> str:
    """SQL around a placeholder."""
    if leaf.form == "like":
        for character in ("\\", "%", "_"):
            placeholder = f"REPLACE({placeholder}, '{character}', '\\{character}')"
        return placeholder
    if leaf.form == "json" and isinstance(leaf, Slot):
        is_postgres = vendor == "postgresql"
        return f"to_jsonb({placeholder}::{_SQL_TYPES[leaf.type]})" if is_postgres else f"json_quote({placeholder})"
    if leaf.form == "any" and vendor == "sqlite":
        return f"SELECT value FROM json_each({placeholder})"  # noqa: S608 - a placeholder, not a value
    return (
        f"{placeholder}::{leaf.cast}"
        if isinstance(leaf, Slot) and leaf.cast and vendor == "postgresql"
        else placeholder
    )


def _django_placeholder(
    leaf: Leaf, arguments: Sequence[Any], keys: Sequence[Any], connection: Any
) -> tuple[str, list[Any]]:
    if isinstance(leaf, Constant):
        return "%s", [leaf.value]
    if isinstance(leaf, Quantity):
        value = leaf.number.value({p.name: arguments[p.index] for p in leaf.number.parameters()})
        return "%s", [max(value, 0) if leaf.clamped else value]
    if isinstance(leaf, Slot) and not leaf.many:
        sql = _written(leaf, "%s", connection.vendor).replace("'%'", "'%%'").replace("'\\%'", "'\\%%'")
        return sql, [adapted(arguments[leaf.index], leaf.type, connection)]
    items = list(keys) if isinstance(leaf, Keys) else [adapted(v, leaf.type, connection) for v in arguments[leaf.index]]
    if connection.vendor == "postgresql":
        return f"%s::{leaf.cast}" if isinstance(leaf, Slot) and leaf.cast else "%s", [items]
    if items:
        return ", ".join(["%s"] * len(items)), items
    # An empty list, but not NULL: NOT IN (NULL) would be no rows either.
    return f"SELECT NULL {'FROM DUAL' if connection.vendor == 'oracle' else ''} WHERE 1 = 0", []


def _bounds(text: str) -> list[Piece]:
    """Text with the marks of slices turned back into parameters."""
    pieces: list[Piece] = []
    at = 0
    for match in slices.LIMIT_OR_OFFSET.finditer(text):
        pieces += [text[at : match.start()], f"{match[1]} "]
        at = match.end()
        value = int(match[2])
        pieces.append(Quantity(slices.decode_offset(value)) if match[1] == "OFFSET" else _limit(value))
    return [*pieces, text[at:]]


def _limit(value: int) -> Piece:
    """``stop - start``, never below zero: Django's slice is empty where stop comes before start."""
    start, stop, role = slices.decode_limit(value)
    if role == "length":
        return Quantity(stop)
    length = Number(operator="-", left=stop, right=start)
    fixed = constant(length)
    if fixed is not None:
        return str(max(fixed, 0))
    if constant(start) == 0:
        return Quantity(stop)
    polynomial = length.polynomial()
    term = next(iter(polynomial))
    if len(polynomial) == 1 and len(term) == 1 and polynomial[term] == 1:
        length = Number(next(p for p in length.parameters() if p.name == term[0]))
    return Quantity(length, clamped=True)


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
