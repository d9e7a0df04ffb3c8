"""What a value of a type may be, as graphql-core decides it (October 2021, sections 3.5 to 3.12)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import build_schema, execute_sync, parse
from graphql import validate as validate_by_core

from plectrum.graphql import GraphQL
from tests.zoo.models import Author, Book, Label, Publisher

from .support import Asker

pytestmark = pytest.mark.django_db

#: Type of a variable, and a field that takes it.
USES = {
    "Int": "labels(limit: $v) {slug}",
    "Int!": "labels(limit: $v) {slug}",
    "ID": "labels(filter: {id: {eq: $v}}) {slug}",
    "ID!": "label(id: $v) {slug}",
    "[ID!]": "labels(filter: {id: {in: $v}}) {slug}",
    "[ID!]!": "labels(filter: {id: {in: $v}}) {slug}",
    "String": "books(filter: {title: {contains: $v}}) {id}",
    "Boolean": "books(filter: {title: {isNull: $v}}) {id}",
    "Boolean!": "__typename @include(if: $v)",
    "[LabelOrder!]": "labels(orderBy: $v) {slug}",
    "LabelOrder!": "labels(orderBy: [$v]) {slug}",
    "LabelFilter": "labels(filter: $v) {slug}",
    "[LabelFilter!]": "labels(filter: {and: $v}) {slug}",
    "Order": "labels(orderBy: [{rank: $v}]) {slug}",
}
VALUES: list[Any] = [
    None, 0, 1, 1.0, 1.5, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**70, "", "1", "x", "é", "ASC", "asc",
    True, False, [], [None], ["label-1"], [1], [1.5], [["x"]], {}, {"rank": "ASC"}, {"rank": None}, {"rank": "UP"},
    {"rank": 1},
    {"nothing": 1}, [{"rank": "DESC"}], [{"rank": "DESC"}, None], {"rank": {"eq": 1}},
    {"rank": {"eq": 1.0}}, {"rank": {"eq": 1.5}}, {"rank": {"eq": "1"}},
    {"rank": {"in": 1}}, {"rank": {"in": [1, None]}}, {"and": {"slug": {"eq": "x"}}}, {"not": {"not": None}},
]  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> GraphQL:
    return GraphQL([Book, Author, Label, Publisher])


def judged(schema: Any, text: str, variables: dict[str, Any]) -> bool:
    """Whether graphql-core executes a request; values that a scalar of ours refuses are not its to know."""
    document = parse(text)
    if validate_by_core(schema, document):
        return False
    result = execute_sync(schema, document, variable_values=variables)
    return not any(error.path is None for error in result.errors or ())


def refuses(answer: dict[str, Any]) -> bool:
    """Whether the request was refused as a whole, for its types."""
    errors = answer.get("errors", ())
    return any("path" not in error and error["extensions"]["code"] != "LIMIT_EXCEEDED" for error in errors)


@pytest.mark.parametrize("kind", USES)
def test_variables(graph: GraphQL, kind: str) -> None:
    schema, asker = build_schema(graph.sdl), Asker(graph)
    text = f"query ($v: {kind}) {{{USES[kind]}}}"
    wrong: list[str] = []
    for variables in ({}, *({"v": value} for value in VALUES)):
        answer = asker.post(text, **variables).json()
        if refuses(answer) == judged(schema, text, variables):
            wrong.append(f"{json.dumps(variables)}: {answer}")
    asker.close()
    assert wrong == []


LITERALS = [
    "null", "0", "1.0", "1e3", "2147483648", "-2147483649", '"1"', "ASC", "UP", "true", "[]", "[null]", "[1]", '["x"]',
    "{}", "{rank: ASC}", "{rank: null}", "{rank: \"ASC\"}", "[{rank: ASC}]", "[{rank: ASC}, null]", "{rank: {eq: 1}}",
    "{rank: {eq: \"1\"}}", "{rank: {in: 1}}", "{nothing: 1}", "{rank: {eq: 1}, rank: {eq: 1}}", '"""block"""',
]  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in USES if kind not in ("LabelOrder!", "Order")])
def test_literals(graph: GraphQL, kind: str) -> None:
    schema, asker = build_schema(graph.sdl), Asker(graph)
    wrong: list[str] = []
    for literal in LITERALS:
        text = f"{{{USES[kind].replace('$v', literal)}}}"
        answer = asker.post(text).json()
        if refuses(answer) == judged(schema, text, {}):
            wrong.append(f"{literal}: {answer}")
    asker.close()
    assert wrong == []
