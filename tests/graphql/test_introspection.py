"""What clients learn of a schema: the same as graphql-core tells of its SDL."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_client_schema, build_schema, get_introspection_query, graphql_sync, print_schema

from plectrum.graphql import GraphQL

from .support import MODELS, Asker

pytestmark = pytest.mark.django_db

#: All that the introspection queries of clients ask for.
QUERY = get_introspection_query(
    descriptions=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True,
    input_value_deprecation=True, one_of=True,
)  # fmt: skip
BUILT_IN = {"Int", "Float", "String", "Boolean", "ID", "skip", "include", "deprecated", "specifiedBy", "oneOf"}


def told(schema: dict[str, Any]) -> dict[str, Any]:
    """What is told of everything that is the schema's own, by name.

    `isOneOf` is of input objects; what graphql-core tells of other types changes where Strawberry is imported.
    """
    for one in schema["types"]:
        if one["kind"] != "INPUT_OBJECT":
            del one["isOneOf"]

    def own(things: list[dict[str, Any]]) -> dict[str, Any]:
        return {one["name"]: one for one in things if one["name"] not in BUILT_IN and not one["name"].startswith("__")}

    return {**schema, "types": own(schema["types"]), "directives": own(schema["directives"])}


def test_all_that_clients_ask_for_is_told() -> None:
    graph = GraphQL(MODELS, introspection=True)
    asker = Asker(graph)
    found = asker.post(QUERY).json()
    asker.close()
    assert "errors" not in found
    assert {one["isOneOf"] for one in found["data"]["__schema"]["types"] if one["kind"] == "OBJECT"} == {None}
    expected = graphql_sync(build_schema(graph.sdl), QUERY)
    assert expected.data is not None
    assert told(found["data"]["__schema"]) == told(expected.data["__schema"])


def test_clients_build_the_schema_from_it() -> None:
    asker = Asker(GraphQL(MODELS, introspection=True))
    found = asker.post(QUERY).json()
    asker.close()
    assert "type Book" in print_schema(build_client_schema(found["data"]))


def test_one_type_with_fragments_aliases_and_variables() -> None:
    graph = GraphQL(MODELS, introspection=True)
    asker = Asker(graph)
    query = """query ($name: String!, $all: Boolean) {
        a: __type(name: $name) { ...T kind more: __typename fields(includeDeprecated: $all) { name type { ...T } } }
        b: __type(name: "Order") { ...T enumValues { name } specifiedByURL fields { name } }
        c: __type(name: "Nothing") { name }
        d: __type(name: "BookFilter") { isOneOf inputFields { name type { ofType { ofType { ...T } } } } }
    }
    fragment T on __Type { name ofType { name kind } }"""
    found = asker.post(query, name="Book", all=True).json()
    asker.close()
    expected = graphql_sync(build_schema(graph.sdl), query, variable_values={"name": "Book", "all": True})
    assert (found.get("errors"), found["data"]) == (None, expected.data)
