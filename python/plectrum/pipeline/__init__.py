"""JSON rows from PostgreSQL → the bytes of a GraphQL response, in one pass in Rust.

Needs neither Django nor a server: a view that gives JSON, a connection and a framework that sends bytes. Keys become
camelCase (:mod:`plectrum.naming`), objects of a type begin with their ``__typename``, a selection chooses, orders and
renames fields; every other byte of a value stays as PostgreSQL wrote it.
"""

from __future__ import annotations

from .._core import RustResponseBytes, TypeRegistry
from .build import (
    Field,
    InvalidRowError,
    Row,
    Selection,
    build_empty_array_response,
    build_list_response,
    build_multi_field_response,
    build_null_response,
    build_single_response,
    register_type,
    registry,
    send_asgi,
)
from .repository import Repository, execute_via_rust_pipeline

__all__ = [
    "Field",
    "InvalidRowError",
    "Repository",
    "Row",
    "RustResponseBytes",
    "Selection",
    "TypeRegistry",
    "build_empty_array_response",
    "build_list_response",
    "build_multi_field_response",
    "build_null_response",
    "build_single_response",
    "execute_via_rust_pipeline",
    "register_type",
    "registry",
    "send_asgi",
]
