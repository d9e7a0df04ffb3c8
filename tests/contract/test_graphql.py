"""Mutations on a server: in its thread pool, beside queries, each visible to what comes after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .support import Postgres, Server

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def shared(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log: Path = tmp_path_factory.mktemp("shared") / "log"
    running = Server("queries", log, "--workers=1", environ={"DATABASE_URL": database.url})
    yield running
    running.close()


def ask(server: Server, query: str, **variables: Any) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = server.ask("POST", "/graphql", "content-type: application/json", body=body)
    assert answer.status == 200, answer.body
    found = answer.json()
    assert "errors" not in found, found
    return found["data"]


def test_many_write_at_once(shared: Server, database: Postgres) -> None:
    update = """mutation ($id: ID!, $name: String!) {
        updateItem(id: $id, input: {name: $name}) { ... on Item { name } ... on Refused { errors { message } } }
    }"""

    def write(number: int) -> None:
        name = f"new {number}"
        assert ask(shared, update, id=number, name=name) == {"updateItem": {"name": name}}
        assert ask(shared, "query ($id: ID!) { item(id: $id) { name } }", id=number) == {"item": {"name": name}}

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(1, 101)))
    assert database.sql("SELECT count(*) FROM item WHERE name LIKE 'new %'") == [(100,)]


def test_a_row_is_deleted_once(shared: Server) -> None:
    delete = "mutation { deleteItem(id: 1000) { __typename } }"
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: ask(shared, delete)["deleteItem"]["__typename"], range(8)))
    assert sorted(answers) == ["Deleted", *["Refused"] * 7]
