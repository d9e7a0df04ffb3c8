"""Claims as parameters: from what authenticates, whatever the client says elsewhere."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from catalog import seeding
from catalog.models import Author
from django.db.models import QuerySet

from plectrum import API, Claim, ConfigurationError, _core
from plectrum.auth import JWT, APIKey
from plectrum.caching import Cache
from plectrum.guards import AllowAny
from plectrum.testing import TestClient

SECRET = "0123456789abcdef" * 4
AUTH = [JWT(key=SECRET), APIKey(keys={"billing": "a key of enough randomness"})]


def bearer(**claims: Any) -> dict[str, str]:
    token = _core.sign_jwt(json.dumps({"exp": 2**33, **claims}), SECRET, "HS256")
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def client() -> TestClient:
    api = API(auth=AUTH)

    @api.get("/sub")
    async def sub(sub: Annotated[str, Claim()]) -> str:
        return sub

    @api.get("/number")
    async def number(me: Annotated[int, Claim("sub")]) -> int:
        return me

    @api.get("/roles")
    async def roles(roles: Annotated[list[str], Claim()], level: Annotated[int, Claim(ge=1)] = 1) -> list[Any]:
        return [roles, level]

    @api.get("/anybody", guards=[AllowAny])
    async def anybody(sub: Annotated[str | None, Claim()] = None) -> str | None:
        return sub

    return TestClient(api)


def test_they_are_what_the_token_says(client: TestClient) -> None:
    assert client.get("/sub", headers=bearer(sub="7")).json() == "7"
    assert client.get("/number", headers=bearer(sub="7")).json() == 7
    assert client.get("/roles", headers=bearer(roles=["a"], level=3)).json() == [["a"], 3]
    assert client.get("/roles", headers=bearer(roles=[])).json() == [[], 1]


def test_keys_have_a_subject_too(client: TestClient) -> None:
    assert client.get("/sub", headers={"x-api-key": "a key of enough randomness"}).json() == "billing"


def test_clients_cannot_say_them_elsewhere(client: TestClient) -> None:
    answer = client.get("/sub?sub=8", headers={**bearer(sub="7"), "sub": "8"}, cookies={"sub": "8"})
    assert answer.json() == "7"


@pytest.mark.parametrize(
    ("path", "claims", "name"),
    [("/sub", {}, "sub"), ("/number", {"sub": "ada"}, "sub"), ("/roles", {"roles": 5}, "roles"),
     ("/roles", {"roles": [], "level": 0}, "level")],
)  # fmt: skip
def test_what_is_missing_or_of_another_kind_is_refused(
    client: TestClient, path: str, claims: dict[str, Any], name: str
) -> None:
    refused = client.get(path, headers=bearer(**claims))
    assert refused.status_code == 403
    assert refused.json()["detail"] == f'The credentials have no claim "{name}" of the kind this needs.'


def test_the_anonymous_have_none(client: TestClient) -> None:
    assert client.get("/sub").status_code == 401
    assert client.get("/anybody").json() is None
    assert client.get("/anybody", headers=bearer(sub="7")).json() == "7"


def test_without_authentication_there_are_none() -> None:
    api = API()

    @api.get("/me")
    async def me(sub: Annotated[str, Claim()]) -> str:
        return sub

    with pytest.raises(
        ConfigurationError, match=r"test_claims\.py:\d+: .*\.me\(sub\) is a claim, but the route has no"
    ):
        api.compile()


def test_an_answer_of_ones_own_is_not_kept_for_all() -> None:
    api = API(auth=AUTH)

    @api.get("/me", cache=Cache(seconds=5, per="all"))
    async def me(sub: Annotated[str, Claim()]) -> str:
        return sub

    with pytest.raises(ConfigurationError, match=r"is a claim of who asks, and cache=Cache\(per='all'\) would give"):
        api.compile()


@pytest.mark.django_db
def test_rows_of_ones_own_without_python() -> None:
    Author.objects.bulk_create(seeding.author(number) for number in range(1, 5))
    api = API(auth=AUTH)

    @api.query.get("/mine")
    def mine(me: Annotated[int, Claim("sub")]) -> QuerySet[Author, Any]:
        return Author.objects.filter(pk=me).values("id", "name")

    client = TestClient(api)
    for author in Author.objects.all():
        assert client.get("/mine", headers=bearer(sub=str(author.pk))).json() == [
            {"id": author.pk, "name": author.name}
        ]
    assert client.get("/mine").status_code == 401
