"""``plectrum doctor``: what of a project Rust takes over, what it does not and why, and what else is worth a look.

``report`` is what is found, as data; ``serializers``, ``views``, ``routes``, ``indexes`` and ``settings`` look,
``measure`` tries things out on the project's own rows, ``table`` shows it to people.
"""

from __future__ import annotations

from .examine import examine
from .report import FORMAT, FieldReport, Issue, Measured, Report, RouteReport, SerializerReport, ViewReport

__all__ = [
    "FORMAT",
    "FieldReport",
    "Issue",
    "Measured",
    "Report",
    "RouteReport",
    "SerializerReport",
    "ViewReport",
    "examine",
]
