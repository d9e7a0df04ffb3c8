"""Names in both directions: ``snake_case`` as Python and SQL spell them, ``camelCase`` as GraphQL does.

====================  ====================  ==================================================================
snake_case            camelCase             rule
====================  ====================  ==================================================================
``created_at``        ``createdAt``         an underscore between a character and a small letter goes
``_x``, ``x_``        ``_x``, ``x_``        underscores at the ends stay
``a__b``              ``a__b``              doubled underscores stay
``line_1``, ``a_1b``  ``line_1``, ``a_1b``  before a digit it stays: a digit has no capital that could be read back
``x_é``               ``x_é``               as before a digit; GraphQL's names are ASCII
``user_id``           ``userID``            backwards only: a run of capitals is one word
====================  ====================  ==================================================================

No two snake_case names meet in one camelCase name. Reading one back gives the name it came from, except for words of
one letter next to each other (``a_b_c`` → ``aBC`` → ``a_bc``); :class:`Names` is exact for those too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ._core import to_camel, to_snake
from .errors import ConfigurationError

__all__ = ["Names", "to_camel", "to_snake"]


class Names:
    """A known set of names, converted exactly in both directions.

    Parameters:
        names: in snake_case, such as the columns of a table.

    Errors:
        ConfigurationError: if two of them have the same camelCase name, such as ``user_id`` and ``userId``.
    """

    __slots__ = ("camel", "snake")

    #: camelCase name by name.
    camel: Mapping[str, str]
    #: Name by camelCase name.
    snake: Mapping[str, str]

    def __init__(self, names: Iterable[str]) -> None:
        camel: dict[str, str] = {name: to_camel(name) for name in names}
        snake: dict[str, str] = {}
        for name, converted in camel.items():
            other = snake.setdefault(converted, name)
            if other != name:
                raise ConfigurationError(
                    f"{other!r} and {name!r} are both {converted!r} in camelCase. Rename one of them."
                )
        self.camel = MappingProxyType(camel)
        self.snake = MappingProxyType(snake)

    def __repr__(self) -> str:
        return f"Names({list(self.camel)!r})"
