"""Plectrum's types in a real FastAPI application, beside pydantic models that say the same."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import json
from typing import Annotated, Any, Literal

import httpx
import pydantic
import pytest
from annotated_types import Ge, Le, MaxLen
from catalog.models import Author
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import Response

from plectrum.fastapi import FastAPIModel, PlectrumResponse, PlectrumRoute
from plectrum.schema import UNSET, Field, Schema, SchemaError

NOW = datetime.datetime(2026, 11, 20, 12, 30, tzinfo=datetime.UTC)


class TestClient:
    """Requests to an application in process."""

    __test__ = False

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, json: Any = None) -> httpx.Response:
        return self.request("POST", path, json=json)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())


class Address(Schema):
    """Where somebody lives."""

    city: Annotated[str, MaxLen(60)]
    zip: str | None = None


class Person(Schema):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    age: Annotated[int, Ge(0), Le(150)] = 3
    kind: Literal["a", "b"] = "a"
    wealth: decimal.Decimal | None = None
    born: datetime.date | None = None
    address: Address
    tags: list[str] = Field(default_factory=list)
    friends: list[Person] = Field(default_factory=list)
    nick: str = Field(alias="nickName", default="")


class Account(Schema):
    id: int = Field(read_only=True)
    password: str = Field(write_only=True, default="")
    name: str


AUTHOR = FastAPIModel(Author, fields=["id", "name", "email", "born"])


def pydantic_models() -> tuple[Any, Any]:
    class Address(pydantic.BaseModel):
        """Where somebody lives."""

        city: Annotated[str, MaxLen(60)]
        zip: str | None = None

    class Person(pydantic.BaseModel):
        name: Annotated[str, pydantic.Field(min_length=1, max_length=100)]
        age: Annotated[int, Ge(0), Le(150)] = 3
        kind: Literal["a", "b"] = "a"
        wealth: decimal.Decimal | None = None
        born: datetime.date | None = None
        address: Address
        tags: list[str] = pydantic.Field(default_factory=list)
        friends: list[Person] = pydantic.Field(default_factory=list)
        nick: str = pydantic.Field(alias="nickName", default="")

    Person.model_rebuild(_types_namespace={"Person": Person, "Address": Address})
    return Address, Person


def application(address: Any, person: Any, route: Any = None) -> FastAPI:
    app = FastAPI()
    if route is not None:
        app.router.route_class = route

    async def add(body: Any) -> Any:
        return body

    async def one() -> Any:
        return {"name": "Ada", "address": {"city": "London"}, "nickName": "A"}

    async def many() -> Any:
        return [{"name": "Ada", "address": {"city": "London"}}]

    add.__annotations__ = {"body": person, "return": person}
    app.post("/people", response_model=person)(add)
    app.get("/people/1", response_model=person)(one)
    app.get("/people", response_model=list[person])(many)
    app.get("/addresses", response_model=list[address] | None)(many)
    return app


@pytest.mark.parametrize("route", [None, PlectrumRoute])
def test_openapi_is_what_pydantic_gives(route: Any) -> None:
    ours = application(Address, Person, route).openapi()
    theirs = application(*pydantic_models()).openapi()
    assert ours == theirs


@pytest.mark.parametrize("route", [None, PlectrumRoute])
def test_bodies_and_answers(route: Any) -> None:
    client = TestClient(application(Address, Person, route))
    answer = client.post("/people", json={"name": "Ada", "address": {"city": "London"}, "wealth": "1.50"})
    expected = {
        "name": "Ada",
        "age": 3,
        "kind": "a",
        "wealth": "1.50",
        "born": None,
        "address": {"city": "London", "zip": None},
        "tags": [],
        "friends": [],
        "nickName": "",
    }
    assert (answer.status_code, answer.json()) == (200, expected)
    assert answer.headers["content-type"] == "application/json"
    assert client.get("/people/1").json()["nickName"] == "A"
    assert client.get("/people").json()[0]["address"] == {"city": "London", "zip": None}


@pytest.mark.parametrize("route", [None, PlectrumRoute])
def test_every_mistake_is_told_at_its_place(route: Any) -> None:
    ours = TestClient(application(Address, Person, route))
    theirs = TestClient(application(*pydantic_models()))
    body = {"name": "", "age": 200, "address": {"zip": 3}, "friends": [{"name": "x", "address": 1}], "kind": "c"}
    found = [client.post("/people", json=body) for client in (ours, theirs)]
    assert [answer.status_code for answer in found] == [422, 422]
    told = [{(tuple(e["loc"]), e["type"]) for e in answer.json()["detail"]} for answer in found]
    renamed = {(loc, "model_type" if kind == "model_attributes_type" else kind) for loc, kind in told[1]}
    assert told[0] == renamed


def test_an_answer_that_does_not_fit_is_an_error() -> None:
    app = FastAPI()
    app.router.route_class = PlectrumRoute

    @app.get("/", response_model=Person)
    async def wrong() -> Any:
        return {"name": "Ada"}

    with pytest.raises(Exception, match=r"address"):
        TestClient(app).get("/")


def test_status_headers_and_background_tasks_stay_fastapis() -> None:
    done: list[str] = []
    app = FastAPI()
    app.router.route_class = PlectrumRoute

    @app.post("/", response_model=Address, status_code=201)
    async def add(response: Response, tasks: BackgroundTasks) -> Any:
        response.headers["x-seen"] = "1"
        tasks.add_task(done.append, "task")
        return Address(city="London")

    answer = TestClient(app).post("/")
    assert (answer.status_code, answer.headers["x-seen"], answer.json()["city"]) == (201, "1", "London")
    assert done == ["task"]


def test_options_that_leave_fields_out_still_do() -> None:
    app = FastAPI()
    app.router.route_class = PlectrumRoute

    class Model(pydantic.BaseModel):
        city: str
        zip: str | None = None

    @app.get("/model", response_model=Model, response_model_exclude_none=True)
    async def model() -> Any:
        return {"city": "x"}

    assert TestClient(app).get("/model").json() == {"city": "x"}


def test_write_only_fields_never_leave() -> None:
    app = FastAPI()
    app.router.route_class = PlectrumRoute

    @app.post("/", response_model=Account)
    async def add(account: Account) -> Any:
        assert account.password == "secret"
        assert account.id is UNSET
        account.id = 7
        return account

    @app.get("/", response_model=Account)
    async def get() -> Any:
        return {"id": 8, "name": "b", "password": "secret"}

    client = TestClient(app)
    assert client.post("/", json={"id": 3, "name": "a", "password": "secret"}).json() == {"id": 7, "name": "a"}
    assert client.get("/").json() == {"id": 8, "name": "b"}


@pytest.mark.django_db
def test_django_models() -> None:
    author = Author.objects.create(name="Ada", email="ada@example.com", country="gb", joined_at=NOW)
    app = FastAPI()
    app.router.route_class = PlectrumRoute

    @app.get("/author", response_model=AUTHOR)
    async def one() -> Any:
        return author

    @app.get("/authors", response_model=list[AUTHOR])
    async def many() -> Any:
        return [author]

    @app.get("/dicts", response_model=list[AUTHOR])
    async def dicts() -> Any:
        return [{"id": 5, "name": "Bob", "email": "b@example.com"}]

    @app.post("/authors")
    async def add(body: AUTHOR) -> Any:  # type: ignore[valid-type]
        return body

    client = TestClient(app)
    shown = {"id": author.pk, "name": "Ada", "email": "ada@example.com", "born": None}
    assert client.get("/author").json() == shown
    assert client.get("/authors").json() == [shown]
    assert client.get("/dicts").json() == [{"id": 5, "name": "Bob", "email": "b@example.com"}]
    assert client.post("/authors", json={"name": "Bob", "email": "b@example.com", "id": 5}).json() == {
        "name": "Bob",
        "email": "b@example.com",
    }
    assert client.post("/authors", json={"name": "Bob", "email": "b"}).status_code == 422
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Author"]
    assert schema["properties"]["name"] == {"type": "string", "maxLength": 100, "title": "Name"}


def test_a_response_class() -> None:
    app = FastAPI(default_response_class=PlectrumResponse)

    @app.get("/")
    async def get() -> Any:
        return {"at": NOW.isoformat(), "n": [1, 2]}

    answer = TestClient(app).get("/")
    assert answer.content == json.dumps({"at": NOW.isoformat(), "n": [1, 2]}, separators=(",", ":")).encode()
    assert PlectrumResponse({"at": NOW}).body == b'{"at":"2026-11-20T12:30:00Z"}'


def test_options_are_for_models() -> None:
    with pytest.raises(SchemaError, match="fields are for models only"):
        FastAPIModel(Person, fields=["name"])
