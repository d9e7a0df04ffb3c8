"""GraphQL over HTTP: methods, media types, statuses, lists of operations, documents by their hash."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plectrum import API
from plectrum.graphql import GraphQL, Limits, validate
from plectrum.testing import TestClient, TestResponse
from tests.contract.support import Server
from tests.zoo.models import Author, Book

RESPONSE = "application/graphql-response+json"


def client(**options: Any) -> TestClient:
    api = API(openapi_url=None)
    api.graphql("/graphql", GraphQL([Author, Book], **options))
    return TestClient(api)


@pytest.fixture
def graph() -> Iterator[TestClient]:
    with client() as made:
        yield made


def post(graph: TestClient, body: Any, accept: str | None = None) -> TestResponse:
    return graph.post("/graphql", json=body, headers={"accept": accept} if accept else {})


def codes(response: TestResponse) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", f"{RESPONSE};q=0.5, application/json"])
def test_json_is_answered_where_nothing_else_is_asked_for(graph: TestClient, accept: str | None) -> None:
    response = post(graph, {"query": "{__typename}"}, accept)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("{nothing}", "GRAPHQL_VALIDATION_FAILED"), ("", "GRAPHQL_PARSE_FAILED"),
     ("query A {__typename} query B {__typename}", "OPERATION_RESOLUTION_FAILURE"),
     ("query ($id: ID!) {book(id: $id) {id}}", "BAD_USER_INPUT"),
     ("{__schema {description}}", "INTROSPECTION_DISABLED")],
)  # fmt: skip
def test_request_errors_have_a_status_of_their_own(graph: TestClient, query: str, code: str) -> None:
    for accept, status in (("application/json", 200), (RESPONSE, 400)):
        response = post(graph, {"query": query}, accept)
        assert (response.status_code, codes(response)) == (status, [code])
        assert "data" not in response.json()


@pytest.mark.parametrize(
    "body",
    [{}, [], 1, {"query": 1}, {"query": "{__typename}", "variables": []}, {"query": "{__typename}", "operationName": 1},
     {"query": "{__typename}", "extensions": "x"}, [{"query": "{__typename}"}]],
)  # fmt: skip
def test_malformed_requests(graph: TestClient, body: Any) -> None:
    for accept in ("application/json", RESPONSE):
        assert post(graph, body, accept).status_code == 400


def test_other_bodies_and_media_types(graph: TestClient) -> None:
    assert graph.post("/graphql", content=b"{__typename}").status_code == 415
    assert graph.post("/graphql", json={"query": "{__typename}"}, headers={"accept": "image/png"}).status_code == 406
    assert graph.post("/graphql", content=b"\xff", headers={"content-type": "application/json"}).status_code == 400
    assert graph.put("/graphql").status_code == 405


def test_get_carries_parameters_in_the_query_string(graph: TestClient) -> None:
    query = "query A ($yes: Boolean!) {a: __typename @include(if: $yes)} query B {b: __typename}"
    params = {"query": query, "operationName": "A", "variables": json.dumps({"yes": True})}
    assert graph.get("/graphql", params=params).json() == {"data": {"a": "Query"}}
    assert graph.get("/graphql", params={**params, "variables": "{"}).status_code == 400
    assert graph.get("/graphql", params={"query": "mutation {x}"}).json()["errors"]
    assert graph.get("/graphql").status_code == 400


def test_lists_of_operations_are_off_unless_asked_for() -> None:
    with client(batch=2) as graph:
        two = [{"query": "{a: __typename}"}, {"query": "{"}]
        response = post(graph, two)
        assert response.json()[0] == {"data": {"a": "Query"}}
        assert response.json()[1]["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
        assert post(graph, two * 2).status_code == 400


def test_documents_by_their_hash() -> None:
    text = "{__typename}"
    named = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
    with client() as graph:
        assert codes(post(graph, {"extensions": named})) == ["PERSISTED_QUERY_NOT_FOUND"]
        assert codes(post(graph, {"query": "{a: __typename}", "extensions": named})) == ["BAD_USER_INPUT"]
        for body in ({"query": text, "extensions": named}, {"extensions": named}):
            assert post(graph, body).json() == {"data": {"__typename": "Query"}}
    with client(allowed=[text]) as graph:
        for body in ({"query": text}, {"extensions": named}):
            assert post(graph, body).json() == {"data": {"__typename": "Query"}}
        assert codes(post(graph, {"query": "{a: __typename}"})) == ["PERSISTED_QUERY_REQUIRED"]


def test_requests_are_bounded_with_their_variables() -> None:
    with client(limits=Limits(request=2_000)) as graph:
        body = {"query": "query ($v: [ID!]) {books(filter: {id: {in: $v}}) {id}}", "variables": {"v": [1] * 1_000}}
        response = post(graph, body)
        assert (response.status_code, codes(response)) == (413, ["LIMIT_EXCEEDED"])
        assert "2000 are allowed" in response.json()["errors"][0]["message"]
    with client(limits=Limits(request=None)) as graph:
        assert "errors" not in post(graph, {"query": "{__typename}", "variables": {"v": "x" * 300_000}}).json()


def test_limits_are_the_users() -> None:
    with client(limits=Limits(depth=2, aliases=None)) as graph:
        aliases = " ".join(f"a{n}: __typename" for n in range(200))
        assert len(post(graph, {"query": f"{{{aliases}}}"}).json()["data"]) == 200
        assert codes(post(graph, {"query": "{books {author {name}}}"})) == ["LIMIT_EXCEEDED"]


def test_a_page_for_browsers() -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    with client(page=True) as graph:
        response = graph.get("/graphql", headers=browser)
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "src=" not in response.text
        assert "href=" not in response.text
    with client() as graph:
        assert graph.get("/graphql", headers=browser).status_code == 400


def test_introspection() -> None:
    with client(introspection=True) as graph:
        query = "query ($name: String!) {__type(name: $name) {kind fields {name}} books: __typename}"
        data = graph.post("/graphql", json={"query": query, "variables": {"name": "BookConnection"}}).json()["data"]
        fields = [{"name": name} for name in ("edges", "pageInfo", "totalCount")]
        assert data == {"__type": {"kind": "OBJECT", "fields": fields}, "books": "Query"}


def test_documents_can_be_checked_alone() -> None:
    sdl = "type Query { one(a: Int!): String }"
    assert validate(sdl, "{one(a: 1)}") == []
    errors = validate(sdl, "{one {x} two}")
    assert [error["locations"] for error in errors]
    with pytest.raises(ValueError, match="Missing"):
        validate("type Query { one: Missing }", "{one}")


AUDIT = """
import { auditServer } from 'graphql-http';
const results = await auditServer({ url: process.argv[2], fetchFn: fetch });
console.log(JSON.stringify(results.map((one) => [one.status, one.id, one.name, one.reason ?? ''])));
"""


@pytest.mark.slow
def test_the_audit_of_graphql_http(tmp_path: Path) -> None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node and npm are not installed: the audit suite is an npm package")
    install = [npm, "install", "--silent", "--prefix", str(tmp_path), "graphql-http@1.23.1", "graphql@16"]
    if subprocess.run(install, capture_output=True, timeout=120).returncode != 0:
        pytest.skip("npm cannot install graphql-http here")
    script = tmp_path / "audit.mjs"
    script.write_text(AUDIT)
    server = Server("graph", tmp_path / "log", "--workers=1")
    try:
        url = f"http://127.0.0.1:{server.port}/graphql"
        out = subprocess.run([node, str(script), url], capture_output=True, text=True, check=True, timeout=120).stdout
    finally:
        server.close()
    results = json.loads(out)
    assert len(results) == 61
    assert [result for result in results if result[0] != "ok"] == []
