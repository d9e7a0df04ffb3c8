"""Rules for ``Annotated``, one word each; those of ``annotated_types`` (``Ge``, ``MultipleOf`` …) go as well."""

from __future__ import annotations

from typing import Annotated

from ..params import Field

__all__ = [
    "Email",
    "Format",
    "IPAddress",
    "IPv4Address",
    "IPv6Address",
    "MaxLength",
    "MinLength",
    "Pattern",
    "Slug",
    "Url",
]


def MinLength(length: int) -> Field:  # noqa: N802 - reads as a type does
    """At least this many characters, bytes or items."""
    return Field(min_length=length)


def MaxLength(length: int) -> Field:  # noqa: N802
    """At most this many characters, bytes or items."""
    return Field(max_length=length)


def Pattern(pattern: str) -> Field:  # noqa: N802
    """A regular expression that must match somewhere in the text; without look-around and back-references."""
    return Field(pattern=pattern)


def Format(name: str) -> Field:  # noqa: N802
    """What a text stands for; the names are those of :class:`plectrum.Field`'s ``format``."""
    return Field(format=name)


#: Text by the rules of ``django.core.validators``: ``EmailValidator`` and its kin.
Email = Annotated[str, Format("email")]
Url = Annotated[str, Format("url")]
Slug = Annotated[str, Format("slug")]
IPv4Address = Annotated[str, Format("ipv4")]
IPv6Address = Annotated[str, Format("ipv6")]
IPAddress = Annotated[str, Format("ip")]
