"""Names of the schema, from names of models, fields and choices."""

from __future__ import annotations

import re
from typing import Any

from plectrum.naming import to_camel

__all__ = ["enum_member", "field_name", "pascal", "plural", "singular"]

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*\Z")


def field_name(name: str) -> str:
    """A field's name: ``created_at`` is ``createdAt``."""
    return to_camel(name)


def pascal(name: str) -> str:
    """A type's name: ``created_at`` is ``CreatedAt``."""
    camel = to_camel(name)
    return camel[:1].upper() + camel[1:]


def singular(model: Any) -> str:
    """The root field of one row: ``BlogPost`` is ``blogPost``."""
    name: str = model.__name__
    return name[:1].lower() + name[1:]


def plural(model: Any) -> str:
    """The root field of many rows, from ``verbose_name_plural``: ``categories``, ``blogPosts``."""
    words = str(model._meta.verbose_name_plural).split()
    name = field_name("_".join(words).lower())
    return name if _NAME.match(name) else singular(model) + "s"


def enum_member(value: Any) -> str:
    """A choice's name in an enum: ``in-review`` is ``IN_REVIEW``, ``1`` is ``_1``."""
    text = re.sub(r"\W+", "_", str(value), flags=re.ASCII).strip("_").upper()
    if not text:
        return "EMPTY" if value == "" else "OTHER"
    name = text if not text[0].isdigit() else f"_{text}"
    return f"{name}_" if name in ("TRUE", "FALSE", "NULL") and name.lower() == name else name
