"""A graph over the zoo, asked on Rust's connection and on Django's."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from plectrum import API
from plectrum.graphql import GraphQL
from plectrum.testing import TestClient, TestResponse
from tests.zoo import models as zoo

__all__ = ["MODELS", "Asker"]

MODELS = (
    zoo.Country, zoo.Author, zoo.Publisher, zoo.Label, zoo.Book, zoo.Contribution, zoo.Cover, zoo.Note, zoo.Place,
    zoo.Restaurant, zoo.Door,
)  # fmt: skip


class Asker:
    """Asks a graph.

    Parameters:
        graph: the schema.
        alias: its database.
    """

    def __init__(self, graph: GraphQL, alias: str = "default") -> None:
        api = API(openapi_url=None)
        api.graphql("/graphql", graph)
        self.alias = alias
        self.client = TestClient(api, debug=True)

    def post(self, query: str, **variables: Any) -> TestResponse:
        """One request, as it is answered here and now."""
        return self.client.post("/graphql", json={"query": query, "variables": variables})

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer, the same on Rust's connection and on Django's."""
        by_rust = self.post(query, **variables)
        with transaction.atomic(using=self.alias):
            by_django = self.post(query, **variables)
        assert by_rust.status_code == by_django.status_code == 200, by_rust.text
        assert by_rust.text == by_django.text
        answer: dict[str, Any] = by_rust.json()
        return answer

    def data(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The only error of an answer."""
        (error,) = self.ask(query, **variables)["errors"]
        return dict(error)

    def close(self) -> None:
        """Closes connections."""
        self.client.close()
