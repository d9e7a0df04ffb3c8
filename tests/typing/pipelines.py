"""User code around `plectrum.pipeline`, as the type checkers see it."""

from __future__ import annotations

from typing import Any, assert_type

from django.http import HttpResponse
from psycopg import AsyncConnection, Connection

from plectrum.naming import Names, to_camel
from plectrum.pipeline import (
    Field,
    Repository,
    RustResponseBytes,
    Selection,
    build_list_response,
    build_multi_field_response,
    execute_via_rust_pipeline,
)

SELECT: Selection = ["id", "headline: title", {"author": ["name", {"books": ["id"]}]}]

assert_type(build_list_response(['{"a":1}', b"{}", None], "rows", "Row", select=SELECT), bytes)
assert_type(build_multi_field_response([Field("one", "{}", many=False)]), bytes)
assert_type(RustResponseBytes(b"{}").bytes, bytes)
assert_type(to_camel("a_b"), str)
assert_type(Names(["a_b"]).camel["a_b"], str)


def synchronous(conn: Connection[Any]) -> HttpResponse:
    found = execute_via_rust_pipeline(conn, "SELECT data FROM v WHERE id = %s", [1], "rows", "Row", many=False)
    assert_type(found, RustResponseBytes)
    assert_type(Repository(conn).find_rust("v", "rows", where={"id": 1}), RustResponseBytes)
    return HttpResponse(found, content_type=found.content_type)


async def asynchronous(conn: AsyncConnection[Any]) -> RustResponseBytes:
    assert_type(await execute_via_rust_pipeline(conn, "SELECT data FROM v", None, "rows"), RustResponseBytes)
    found = await Repository(conn).find_one_rust("v", "row", "Row", order_by=["-id"], select=SELECT)
    assert_type(found, RustResponseBytes)
    return found
