"""What a function of the graph may know of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from plectrum._core import Request
from plectrum.uploads import UploadFile

from .viewer import KnownViewer

__all__ = ["Info", "Visit"]

#: Subject, claims as JSON, headers, the request, what a WebSocket's client said of itself as JSON, the form's files.
Visit = tuple[str | None, str, dict[str, str], Request, str | None, list[UploadFile]]


class Info:
    """The request that a function answers; given to its parameter annotated ``Info``.

    Parameters:
        visit: as Rust hands it over.

    Attributes:
        viewer: who makes the request, as rules know it: ``viewer.subject(int)``, ``viewer.claim("tenant")``,
            ``viewer.header("x-tenant")``.
        request: the request itself, without its body; that of the handshake for a WebSocket.
        files: of a multipart request, by the numbers that its ``map`` has given them.
    """

    def __init__(self, visit: Visit) -> None:
        subject, claims, headers, request, params, files = visit
        self.viewer = KnownViewer(subject, claims, headers)
        self.request: Request = request
        self.files: Sequence[UploadFile] = files
        self._params = params

    @property
    def params(self) -> Mapping[str, Any]:
        """The payload of ``connection_init``, where the request came over a WebSocket; empty otherwise."""
        params: dict[str, Any] = json.loads(self._params) if self._params else {}
        return params
