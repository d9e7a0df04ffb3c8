"""``Schema``: a typed record with rules, validated and serialized by Rust."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, dataclass_transform

from . import params
from .params import MISSING

__all__ = ["Field", "Schema"]

if TYPE_CHECKING:
    # As a function, so that `tags: list[str] = Field(default_factory=list)` has the type of its field.
    def Field(  # noqa: N802, D103
        *,
        default: Any = ...,
        default_factory: Callable[[], Any] = ...,
        alias: str | None = None,
        description: str | None = None,
        ge: Any = None,
        gt: Any = None,
        le: Any = None,
        lt: Any = None,
        multiple_of: Any = None,
        min_length: int | None = None,
        max_length: int | None = None,
        pattern: str | None = None,
        max_digits: int | None = None,
        decimal_places: int | None = None,
        strip: bool | None = None,
    ) -> Any: ...

else:
    Field = params.Field


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
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
            if isinstance(value, params.Field):
                setattr(cls, name, _dataclass_field(value))
        own_init = "__init__" in vars(cls)
        dataclasses.dataclass(kw_only=True)(cls)
        #: The generated ``__init__``: where a class still has it, Rust sets the attributes itself.
        cls.__plectrum_generated_init__ = None if own_init else cls.__init__  # type: ignore[attr-defined]


def _dataclass_field(rules: params.Field) -> Any:
    metadata = {"plectrum": rules}
    if rules.default_factory is not None:
        return dataclasses.field(default_factory=rules.default_factory, metadata=metadata)
    if rules.default is not MISSING:
        return dataclasses.field(default=rules.default, metadata=metadata)
    return dataclasses.field(metadata=metadata)
