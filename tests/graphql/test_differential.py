"""Answers equal to those of graphql-core, executing the same schema with resolvers that ask Django row by row."""

from __future__ import annotations

import random

import pytest
from graphql import parse
from graphql import validate as validate_by_core
from graphql.error import GraphQLSyntaxError

from plectrum.graphql import GraphQL, Limits, validate
from tests.differential.library import fill

from .documents import Maker, spoil
from .reference import errors_of, execute, reference
from .support import MODELS, Asker

VALID = 110
INVALID = 400


@pytest.mark.django_db(transaction=True)
def test_valid_documents_have_the_same_answers() -> None:
    fill("default")
    graph = GraphQL(MODELS, limits=Limits(rows=None, fields=None, depth=None))
    asker, schema = Asker(graph), reference(graph)
    failed = 0
    for seed in range(VALID):
        text, variables = Maker(seed).document()
        expected = execute(schema, text, variables)
        answer = asker.post(text, **variables).json()
        assert answer["data"] == expected["data"], f"seed {seed}: {text}\n{variables}"
        assert errors_of(answer) == expected["errors"], f"seed {seed}: {text}\n{variables}"
        failed += bool(expected["errors"])
    assert 0 < failed < VALID / 2
    asker.close()


def test_invalid_documents_are_refused_by_both() -> None:
    sdl = GraphQL(MODELS).sdl
    schema = reference(GraphQL(MODELS))
    chance = random.Random(1)
    seen: set[str] = set()
    for seed in range(INVALID):
        text = spoil(Maker(seed).document()[0], chance)
        try:
            kind = "GRAPHQL_VALIDATION_FAILED" if validate_by_core(schema, parse(text)) else "none"
        except GraphQLSyntaxError:
            kind = "GRAPHQL_PARSE_FAILED"
        found = {error["extensions"]["code"] for error in validate(sdl, text)} or {"none"}
        assert found == {kind}, f"seed {seed}: {text}"
        seen.add(kind)
    assert {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"} <= seen
