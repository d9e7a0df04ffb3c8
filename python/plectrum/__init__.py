"""Plectrum: Django and plain-Python APIs served from Rust.

Everything a project needs is imported from here; ``plectrum.testing`` has the test client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import Request, WebSocket
from .api import API
from .background import BackgroundTasks
from .deps import Depends
from .errors import (
    BadRequest,
    ConfigurationError,
    Conflict,
    Forbidden,
    HTTPException,
    NotFound,
    PlanError,
    PlectrumError,
    SchemaError,
    ServiceUnavailable,
    Unauthorized,
    ValidationError,
)
from .events import Event, EventStream
from .pagination import CursorPage, LimitOffset, PageNumber
from .params import Body, Claim, Cookie, Form, Header, Path, Query
from .responses import HTML, JSON, NDJSON, File, PlainText, Redirect, Response, Stream
from .routing import Router
from .schema import Field, Schema
from .uploads import UploadFile
from .websockets import WebSocketDisconnect

if TYPE_CHECKING:
    from .orm import Count, Exists, One, Page, register_writer

__all__ = [
    "API",
    "HTML",
    "JSON",
    "NDJSON",
    "BackgroundTasks",
    "BadRequest",
    "Body",
    "Claim",
    "ConfigurationError",
    "Conflict",
    "Cookie",
    "Count",
    "CursorPage",
    "Depends",
    "Event",
    "EventStream",
    "Exists",
    "Field",
    "File",
    "Forbidden",
    "Form",
    "HTTPException",
    "Header",
    "LimitOffset",
    "NotFound",
    "One",
    "Page",
    "PageNumber",
    "Path",
    "PlainText",
    "PlanError",
    "PlectrumError",
    "Query",
    "Redirect",
    "Request",
    "Response",
    "Router",
    "Schema",
    "SchemaError",
    "ServiceUnavailable",
    "Stream",
    "Unauthorized",
    "UploadFile",
    "ValidationError",
    "WebSocket",
    "WebSocketDisconnect",
    "register_writer",
]

#: Names that need Django, imported when they are asked for: Plectrum works without it.
_DJANGO = frozenset({"Count", "Exists", "One", "Page", "register_writer"})


def __getattr__(name: str) -> Any:
    if name in _DJANGO:
        from . import orm

        return getattr(orm, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
