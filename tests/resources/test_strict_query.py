"""Lists refuse query parameters that nobody reads, and no others."""

from __future__ import annotations

import pytest
from catalog.models import Author

from plectrum import API
from plectrum.auth import APIKey
from plectrum.testing import TestClient

KEY = "0123456789abcdef0123456789abcdef"
pytestmark = pytest.mark.django_db


def test_a_key_in_the_query_is_no_filter() -> None:
    api = API()
    api.resource(Author, filters=["country"], auth=[APIKey(keys={"shop": KEY}, query="key")])
    with TestClient(api) as client:
        assert client.get(f"/authors?key={KEY}&country=fr").status_code == 200
        refused = client.get(f"/authors?key={KEY}&contry=fr")
        assert refused.status_code == 422
        assert refused.json()["errors"] == [
            {
                "loc": ["query", "contry"],
                "type": "extra_forbidden",
                "msg": "Unknown query parameter. Did you mean 'country'?",
            }
        ]


def test_lists_can_be_told_to_let_them_pass() -> None:
    api = API()
    api.resource(Author, filters=["country"], strict_query=False)
    with TestClient(api) as client:
        assert client.get("/authors?contry=fr").status_code == 200


def test_handlers_let_them_pass() -> None:
    api = API()

    @api.get("/hello")
    async def hello(name: str = "World") -> str:
        return name

    with TestClient(api) as client:
        assert client.get("/hello?nam=x").json() == "World"
