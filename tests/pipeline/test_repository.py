"""Views of a real PostgreSQL through psycopg."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import psycopg_pool
import pytest
from psycopg.rows import dict_row

from plectrum.errors import ConfigurationError
from plectrum.pipeline import (
    InvalidRowError,
    Repository,
    RustResponseBytes,
    TypeRegistry,
    execute_via_rust_pipeline,
)

SHOP = TypeRegistry()
SHOP.register_type("Article", {"author": "Author"})
SCHEMA = """
CREATE TEMPORARY TABLE v_article (id int, "odd ""name" text, data jsonb);
INSERT INTO v_article VALUES
    (1, 'a', '{"id": 1, "full_title": "Ü", "author": {"full_name": "A"}, "big_int": 123456789012345678901234567890}'),
    (2, 'b', '{"id": 2, "full_title": "T", "author": null}'),
    (3, NULL, NULL);
"""


@pytest.fixture
def conn() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(os.environ["PLECTRUM_TEST_PG"], autocommit=True, row_factory=dict_row) as connection:
        connection.execute(SCHEMA)  # type: ignore[call-overload, unused-ignore]
        yield connection


def later(work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[RustResponseBytes]]) -> bytes:
    async def run() -> bytes:
        async with await psycopg.AsyncConnection.connect(os.environ["PLECTRUM_TEST_PG"], autocommit=True) as connection:
            await connection.execute(SCHEMA)
            return bytes(await work(connection))

    return asyncio.run(run())


QUERY = "SELECT data FROM v_article WHERE id <= %s ORDER BY id"
ANSWER = (
    '{"data":{"articles":[{"__typename":"Article","id":1,"author":{"__typename":"Author","fullName":"A"},'
    '"bigInt":123456789012345678901234567890,"fullTitle":"Ü"},{"__typename":"Article","id":2,"author":null,"fullTitle":"T"},null]}}'
).encode()


def test_rows_of_a_query(conn: psycopg.Connection[Any]) -> None:
    answer = execute_via_rust_pipeline(conn, QUERY, (3,), "articles", "Article", registry=SHOP)
    assert isinstance(answer, RustResponseBytes)
    assert answer.bytes == ANSWER


def test_rows_of_a_query_later() -> None:
    assert (
        later(lambda conn: execute_via_rust_pipeline(conn, QUERY, (3,), "articles", "Article", registry=SHOP)) == ANSWER
    )


def test_pipeline_mode(conn: psycopg.Connection[Any]) -> None:
    with conn.pipeline():
        assert execute_via_rust_pipeline(conn, QUERY, (3,), "articles", "Article", registry=SHOP).bytes == ANSWER


def test_another_encoding(conn: psycopg.Connection[Any]) -> None:
    conn.execute("SET client_encoding TO LATIN1")
    assert execute_via_rust_pipeline(conn, QUERY, (3,), "articles", "Article", registry=SHOP).bytes == ANSWER


def test_one_row_at_most(conn: psycopg.Connection[Any]) -> None:
    one = execute_via_rust_pipeline(conn, QUERY, (1,), "article", select=["id"], many=False)
    assert one.bytes == b'{"data":{"article":{"id":1}}}'
    assert execute_via_rust_pipeline(conn, QUERY, (0,), "article", many=False).bytes == b'{"data":{"article":null}}'
    with pytest.raises(ValueError, match=r'^The query for "article" gave 3 rows, not one at most.$'):
        execute_via_rust_pipeline(conn, QUERY, (3,), "article", many=False)


def test_what_is_not_one_column_of_json(conn: psycopg.Connection[Any]) -> None:
    for query, columns in (("SELECT 1, 2", 2), ("SET work_mem TO '8MB'", 0)):
        with pytest.raises(ValueError, match=f"^The query gives {columns} columns; one column of JSON is needed"):
            execute_via_rust_pipeline(conn, query, None, "x")
    with pytest.raises(InvalidRowError, match=r'^Row 0 of "x" is not valid JSON: expected a value at position 0'):
        execute_via_rust_pipeline(conn, "SELECT 'text'", None, "x")
    with pytest.raises(psycopg.errors.UndefinedTable):
        execute_via_rust_pipeline(conn, "SELECT data FROM nowhere", None, "x")


def test_the_repository_finds(conn: psycopg.Connection[Any]) -> None:
    repository = Repository(conn, registry=SHOP)

    def ids(**options: Any) -> list[Any]:
        answer = repository.find_rust("v_article", "articles", "Article", select=["id"], **options)
        return [row and row["id"] for row in json.loads(answer.bytes)["data"]["articles"]]

    assert repository.find_rust("v_article", "articles", "Article", order_by=["id"]).bytes == ANSWER
    assert ids(order_by=["-id"], limit=2, offset=1) == [2, 1]
    assert ids(where={"id": 2}) == [2]
    assert ids(where={"id": [1, 2]}, order_by=["id"]) == [1, 2]
    assert ids(where={"id": ()}) == []
    assert ids(where={'odd "name': None}) == [None]
    assert ids(where={'odd "name': "'; DROP TABLE v_article"}) == []
    whole = repository.find_rust(
        "pg_temp.v_article", "rows", where={"id": 2}, column=None, select=["id", 'name: odd "name']
    )
    assert json.loads(whole.bytes)["data"]["rows"] == [{"id": 2, "name": "b"}]


def test_the_repository_finds_one(conn: psycopg.Connection[Any]) -> None:
    repository = Repository(conn)
    found = repository.find_one_rust(
        "v_article", "article", "Article", order_by=["-id"], where={"id": [1, 2]}, select=["id"]
    )
    assert found.bytes == b'{"data":{"article":{"id":2}}}'
    assert repository.find_one_rust("v_article", "article", where={"id": 9}).bytes == b'{"data":{"article":null}}'
    with pytest.raises(ConfigurationError, match="is not the name of a view"):
        repository.find_one_rust("app.", "article")


def test_the_repository_finds_later() -> None:
    def find(conn: psycopg.AsyncConnection[Any]) -> Awaitable[RustResponseBytes]:
        return Repository(conn).find_one_rust("v_article", "article", "Article", where={"id": 2})

    assert later(find) == b'{"data":{"article":{"__typename":"Article","id":2,"author":null,"fullTitle":"T"}}}'


@pytest.mark.parametrize("kind", [psycopg_pool.ConnectionPool, psycopg_pool.NullConnectionPool])
def test_a_pool_lends_a_connection(kind: type[psycopg_pool.ConnectionPool[Any]]) -> None:
    with kind(os.environ["PLECTRUM_TEST_PG"], min_size=0, max_size=1, configure=prepare) as pool:
        for _ in range(3):
            answer = execute_via_rust_pipeline(pool, QUERY, (3,), "articles", "Article", registry=SHOP)
            assert answer.bytes == ANSWER
        with pytest.raises(psycopg.errors.UndefinedTable):
            execute_via_rust_pipeline(pool, "SELECT data FROM nowhere", None, "x")
        assert Repository(pool, registry=SHOP).find_rust("v_article", "articles", "Article").bytes == ANSWER
        assert pool.get_stats().get("requests_waiting", 0) == 0


@pytest.mark.parametrize("kind", [psycopg_pool.AsyncConnectionPool, psycopg_pool.AsyncNullConnectionPool])
def test_an_asynchronous_pool_lends_a_connection(kind: type[psycopg_pool.AsyncConnectionPool[Any]]) -> None:
    async def run() -> list[bytes]:
        url = os.environ["PLECTRUM_TEST_PG"]
        async with kind(url, min_size=0, max_size=2, configure=prepare_later, open=False) as pool:
            several = (
                execute_via_rust_pipeline(pool, QUERY, (3,), "articles", "Article", registry=SHOP) for _ in range(5)
            )
            found = await Repository(pool, registry=SHOP).find_one_rust("v_article", "one", select=["id"])
            return [bytes(answer) for answer in await asyncio.gather(*several)] + [bytes(found)]

    *answers, found = asyncio.run(run())
    assert answers == [ANSWER] * 5
    assert found == b'{"data":{"one":{"id":1}}}'


def prepare(connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True
    connection.execute(SCHEMA)  # type: ignore[call-overload, unused-ignore]


async def prepare_later(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
    await connection.execute(SCHEMA)  # type: ignore[call-overload, unused-ignore]


def test_other_connections_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^object is neither a connection of psycopg 3"):
        execute_via_rust_pipeline(object(), QUERY, (3,), "articles")  # type: ignore[call-overload, unused-ignore]
