"""Arithmetic of parameters: ``(page - 1) * size`` as an expression tree and as a polynomial.

The tree keeps what the user wrote and becomes SQL; the polynomial decides whether two expressions differ by a constant
(``page * 20 - (page - 1) * 20`` is ``20``) and travels to Rust as a check on arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["Number", "Operand", "Polynomial", "constant", "render"]

Operator = Literal["+", "-", "*"]
#: Sorted argument names of a monomial → coefficient; the empty tuple is the constant.
Polynomial = dict[tuple[str, ...], int]

_APPLY: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


@dataclass(frozen=True)
class Number:
    """An integer constant, an integer parameter, or an operation on two of them.

    Parameters:
        leaf: the constant or the parameter; ``None`` for an operation.
        operator: ``+``, ``-`` or ``*``.
        left, right: operands.
    """

    leaf: Any = None
    operator: Operator | None = None
    left: Number | None = None
    right: Number | None = None

    def polynomial(self) -> Polynomial:
        """Normal form: equal polynomials are equal for every argument."""
        if self.left is None or self.right is None:
            return {(): self.leaf} if isinstance(self.leaf, int) else {(self.leaf.name,): 1}
        left, right = self.left.polynomial(), self.right.polynomial()
        if self.operator == "*":
            return _product(left, right)
        sign = 1 if self.operator == "+" else -1
        return _without_zeros({term: left.get(term, 0) + sign * right.get(term, 0) for term in {**left, **right}})

    def parameters(self) -> list[Any]:
        """The parameters it mentions, once each, in order."""
        if self.left is None or self.right is None:
            return [] if isinstance(self.leaf, int) else [self.leaf]
        return list(dict.fromkeys(self.left.parameters() + self.right.parameters()))

    def value(self, arguments: Mapping[str, int]) -> int:
        """What it comes to.

        Parameters:
            arguments: parameter name → value.
        """
        if self.left is None or self.right is None or self.operator is None:
            return self.leaf if isinstance(self.leaf, int) else arguments[self.leaf.name]
        return _APPLY[self.operator](self.left.value(arguments), self.right.value(arguments))


Operand = Number


def constant(number: Number) -> int | None:
    """The number's value where it is the same for every argument."""
    polynomial = number.polynomial()
    return polynomial.get((), 0) if not [term for term in polynomial if term] else None


def render(number: Number, leaf: Callable[[Any], list[Any]]) -> list[Any]:
    """SQL of the number, as text pieces and placeholders.

    Parameters:
        number: what to write.
        leaf: writes one parameter.

    Returns:
        Pieces in order; a nested operation is in parentheses, so precedence is as written.
    """
    if number.left is None or number.right is None:
        return [str(number.leaf)] if isinstance(number.leaf, int) else leaf(number.leaf)
    return ["(", *render(number.left, leaf), f" {number.operator} ", *render(number.right, leaf), ")"]


def _product(left: Polynomial, right: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for a, x in left.items():
        for b, y in right.items():
            term = tuple(sorted(a + b))
            result[term] = result.get(term, 0) + x * y
    return _without_zeros(result)


def _without_zeros(polynomial: Polynomial) -> Polynomial:
    return {term: factor for term, factor in polynomial.items() if factor}
