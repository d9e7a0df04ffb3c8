"""Answers equal to those of graphql-core, executing the same schema with resolvers that ask Django field by field.

`pytest tests/graphql/test_differential.py --graphql-documents=3000` executes more.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from graphql import parse
from graphql import validate as validate_by_core
from graphql.error import GraphQLSyntaxError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plectrum.graphql import GraphQL, Limits, validate
from tests.differential.library import fill

from .documents import Maker, spoil
from .reference import errors_of, execute, reference
from .support import MODELS, Asker

INVALID = 400


@pytest.mark.django_db(transaction=True)
def test_valid_documents_have_the_same_answers(pytestconfig: pytest.Config) -> None:
    count: int = pytestconfig.getoption("graphql_documents")
    fill("default")
    unlimited = Limits(rows=None, fields=None, depth=None, aliases=None, directives=None, tokens=None, bytes=None)
    graph = GraphQL(MODELS, limits=unlimited)
    asker, schema = Asker(graph), reference(graph)
    failed: list[bool] = []

    # Documents are not shrunk: that takes minutes, and mistakes are found in them as they are.
    @settings(
        max_examples=count, phases=[Phase.generate], deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.randoms(use_true_random=False))
    def compare(chance: random.Random) -> None:
        text, variables = Maker(chance).document()
        expected = execute(schema, text, variables)
        answer: dict[str, Any] = asker.post(text, **variables).json()
        assert (answer.get("data"), errors_of(answer)) == (expected["data"], expected["errors"]), (text, variables)
        failed.append(bool(expected["errors"]))

    compare()
    assert len(failed) >= count
    assert 0.2 < sum(failed) / len(failed) < 0.8
    asker.close()


def test_invalid_documents_are_refused_by_both() -> None:
    """With the same errors at the same places; words are compared by crates/graphql/tests/rules.rs."""
    sdl = GraphQL(MODELS).sdl
    schema = reference(GraphQL(MODELS))
    chance = random.Random(1)
    refused = 0
    for seed in range(INVALID):
        text = spoil(Maker(random.Random(seed)).document()[0], chance)
        found = [(error["extensions"]["code"], _places(error)) for error in validate(sdl, text)]
        try:
            judged = validate_by_core(schema, parse(text))
        except GraphQLSyntaxError:
            assert [code for code, _ in found] == ["GRAPHQL_PARSE_FAILED"], f"seed {seed}: {text}"
            continue
        expected = [("GRAPHQL_VALIDATION_FAILED", _places(error.formatted)) for error in judged]
        assert sorted(found) == sorted(expected), f"seed {seed}: {text}"
        refused += bool(expected)
    assert refused > INVALID / 2


def _places(error: Any) -> list[tuple[int, int]]:
    return sorted((place["line"], place["column"]) for place in error.get("locations", ()))
