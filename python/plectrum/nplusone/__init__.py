"""Finds relations that are loaded row by row, and names the call that would load them together.

:func:`detect_nplusone` watches a block of code; ``PLECTRUM = {"NPLUSONE": "warn"}`` (or ``"raise"``) the whole process.
Nothing in Django is touched while neither does.

Two rows of one query that each load the same relation are an N+1: ``hooks`` hears of each load, ``groups`` knows which
rows came together, ``places`` who asked, ``findings`` says what to write instead.
"""

from __future__ import annotations

from .detector import Detector, detect_nplusone, install, uninstall
from .findings import Finding, NPlusOneError, NPlusOneWarning

__all__ = [
    "Detector",
    "Finding",
    "NPlusOneError",
    "NPlusOneWarning",
    "detect_nplusone",
    "install",
    "uninstall",
]
