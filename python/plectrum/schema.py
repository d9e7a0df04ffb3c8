"""``Schema``: a typed record with rules, validated and serialized by Rust."""

from __future__ import annotations

import dataclasses
from typing import Any, dataclass_transform

from .params import MISSING, Field

__all__ = ["Field", "Schema"]


def _field(**options: Any) -> Any:
    """The type checkers' view of :class:`Field` as a field specifier."""
    return Field(**options)


@dataclass_transform(kw_only_default=True, field_specifiers=(Field, _field))
class Schema:
    """Base class of records: annotations are fields, ``Annotated`` and :class:`Field` give their rules.

    A subclass is a keyword-only dataclass, so ``dataclasses.asdict``, ``replace`` and pattern matching work::

        class Person(Schema):
            name: Annotated[str, MaxLen(100)]
            tags: list[str] = Field(default_factory=list)

    Errors:
        SchemaError: raised when an API that uses it is compiled, if a constraint does not fit its type.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, value in list(vars(cls).items()):
            if isinstance(value, Field):
                setattr(cls, name, _dataclass_field(value))
        dataclasses.dataclass(kw_only=True)(cls)


def _dataclass_field(rules: Field) -> Any:
    metadata = {"plectrum": rules}
    if rules.default_factory is not None:
        return dataclasses.field(default_factory=rules.default_factory, metadata=metadata)
    if rules.default is not MISSING:
        return dataclasses.field(default=rules.default, metadata=metadata)
    return dataclasses.field(metadata=metadata)
