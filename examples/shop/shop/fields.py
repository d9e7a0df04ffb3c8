"""Types of what people write, shared by the apps."""

from __future__ import annotations

from typing import Annotated

from plectrum import Field, Path

#: PostgreSQL's text holds every character but NUL.
STORABLE = r"^[^\x00]*$"

#: A line of text that somebody has to write.
Line = Annotated[str, Field(min_length=1, max_length=80, pattern=STORABLE)]
#: Text of any length that somebody has to write.
Prose = Annotated[str, Field(min_length=1, max_length=10_000, pattern=STORABLE)]
#: A row's key in a path: what PostgreSQL's bigint holds.
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
