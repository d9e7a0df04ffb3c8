"""Django's undocumented attributes are read through these names: typed ``Any``, with names that say what is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

__all__ = ["Class", "Rows", "attributes_of", "class_of", "is_a"]

#: A ``QuerySet``.
Rows: TypeAlias = Any
#: A class, as a key of tables.
Class: TypeAlias = Any

#: The exact class: a lazy object's ``__class__`` is its target's.
class_of: Final[Callable[[Any], Class]] = type
attributes_of: Final[Callable[[Any], dict[str, Any]]] = vars


def is_a(value: Any, classes: Any) -> bool:
    """``isinstance`` that leaves the type checkers' view of the value alone.

    Parameters:
        value: anything.
        classes: a class or a tuple of classes.
    """
    return isinstance(value, classes)
