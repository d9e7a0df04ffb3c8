"""Where the files of Swagger UI and Redoc are."""

from __future__ import annotations

import importlib.util
import pathlib

__all__ = ["directory"]


def directory() -> str | None:
    """The static directory of ``drf-spectacular-sidecar``, or ``None`` where the package is not installed."""
    spec = importlib.util.find_spec("drf_spectacular_sidecar")
    if spec is None or spec.origin is None:
        return None
    return str(pathlib.Path(spec.origin).parent / "static" / "drf_spectacular_sidecar")
