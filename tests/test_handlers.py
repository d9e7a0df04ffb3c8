"""Handlers called in process: arguments, results, errors."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from annotated_types import Ge, Le, MaxLen

from plectrum import (
    API,
    HTML,
    JSON,
    Body,
    Cookie,
    Field,
    Form,
    Header,
    HTTPException,
    Path,
    PlainText,
    Query,
    Redirect,
    Request,
    Response,
)
from plectrum import Schema as PlectrumSchema
from plectrum.testing import TestClient


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(PlectrumSchema):
    street: Annotated[str, MaxLen(20)]
    city: str = "London"


class Person(PlectrumSchema):
    name: Annotated[str, MaxLen(10)]
    age: Annotated[int, Ge(0), Le(150)]
    tags: list[str] = Field(default_factory=list)
    address: Address | None = None
    color: Color = Color.RED


class Checked(PlectrumSchema):
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low must not be above high")


@dataclasses.dataclass
class Data:
    name: str
    when: datetime.datetime | None = None


class Typed(TypedDict):
    name: str
    size: decimal.Decimal


class Struct(msgspec.Struct, rename="camel"):
    first_name: str
    age: Annotated[int, msgspec.Meta(ge=18)] = 18


class Model(pydantic.BaseModel):
    name: str
    size: Annotated[int, pydantic.Field(gt=0)]


class Node(PlectrumSchema):
    value: int
    children: list[Node] = Field(default_factory=list)


api = API()


@api.get("/typed/{id}")
async def typed(
    id: int,
    q: str,
    page: Annotated[int, Query(ge=1)] = 1,
    ids: list[int] | None = None,
    color: Color | None = None,
    way: Literal["up", "down"] = "up",
    day: datetime.date | None = None,
    key: uuid.UUID | None = None,
    price: decimal.Decimal | None = None,
    token: Annotated[str | None, Header("x-token")] = None,
    session: Annotated[str | None, Cookie()] = None,
    span: datetime.timedelta | None = None,
) -> dict[str, Any]:
    return {name: value for name, value in locals().items() if value is not None}


@api.post("/person", status=201)
async def person(person: Person) -> Person:
    return person


@api.post("/checked")
async def checked(checked: Checked) -> Checked:
    return checked


@api.post("/data")
async def data(data: Data) -> Data:
    return data


@api.post("/typeddict")
async def typeddict(body: Typed) -> Typed:
    return body


@api.post("/struct")
async def struct(struct: Struct) -> Struct:
    return struct


@api.post("/model")
async def model(model: Model) -> Model:
    return model


@api.post("/tree")
async def tree(node: Node) -> Node:
    return node


@api.post("/anything")
async def anything(body: dict[str, Any]) -> dict[str, Any]:
    return body


@api.post("/two")
async def two(person: Person, data: Data, extra: Annotated[int, Body()] = 5) -> dict[str, Any]:
    return {"person": person.name, "data": data.name, "extra": extra}


@api.post("/form")
async def form(name: Annotated[str, Form()], sizes: Annotated[list[int], Form()]) -> dict[str, Any]:
    return {"name": name, "sizes": sizes}


@api.get("/keywords/{a}")
async def keywords(a: Annotated[int, Path()], *, b: int = 2, c: int) -> list[int]:
    return [a, b, c]


@api.get("/sync/{a}", sync=True)
def sync(a: int, *, b: int = 2) -> list[int]:
    return [a, b]


@api.get("/request/{rest:path}")
async def request(request: Request, rest: str) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "rest": rest,
        "query": request.query,
        "host": request.header("HOST"),
        "missing": request.header("x-missing", "none"),
        "body": len(request.body),
    }


@api.get("/response")
async def response() -> Response:
    return JSON({"made": True}, status=202, headers={"x-made": "yes"})


@api.get("/redirect")
async def redirect() -> Response:
    return Redirect("/elsewhere")


@api.get("/slow")
async def slow() -> str:
    async with asyncio.timeout(5):
        await asyncio.sleep(0.01)
    return "done"


@api.get("/teapot")
async def teapot() -> None:
    raise HTTPException(418, "short and stout", headers={"x-pot": "tea"}, extra={"handle": "spout"})


@api.get("/broken")
async def broken() -> None:
    raise ZeroDivisionError("secret")


@api.get("/nan")
async def nan() -> list[float]:
    return [float("nan")]


@api.get("/unknown")
async def unknown() -> object:
    return {"odd": object()}


@api.get("/cycle")
async def cycle() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


@api.delete("/nothing", status=204)
async def nothing() -> None:
    return None


@pytest.fixture(scope="module")
def client() -> Any:
    with TestClient(api) as client:
        yield client


def test_arguments_come_from_where_they_are_declared(client: TestClient) -> None:
    answer = client.get(
        "/typed/7",
        params={
            "q": "a b&c", "ids": [1, 2], "color": "blue", "day": "2026-02-03", "price": "1.10",
            "key": "00000000-0000-0000-0000-000000000005", "span": "90",
        },
        headers={"X-Token": "t"},
        cookies={"session": "s"},
    )  # fmt: skip
    assert answer.json() == {
        "id": 7, "q": "a b&c", "page": 1, "ids": [1, 2], "color": "blue", "way": "up", "day": "2026-02-03",
        "key": "00000000-0000-0000-0000-000000000005", "price": "1.10", "token": "t", "session": "s", "span": "00:01:30",  # noqa: E501
    }  # fmt: skip


def test_everything_wrong_is_reported_at_once(client: TestClient) -> None:
    answer = client.get("/typed/x?page=0&ids=1&ids=b&color=green&way=left&day=2026-13-01&price=one&key=5")
    assert answer.status_code == 422
    problems = {tuple(error["loc"]): error["type"] for error in answer.json()["errors"]}
    assert problems == {
        ("path", "id"): "int_parsing",
        ("query", "q"): "missing",
        ("query", "page"): "greater_than_equal",
        ("query", "ids", 1): "int_parsing",
        ("query", "color"): "enum",
        ("query", "way"): "literal_error",
        ("query", "day"): problems[("query", "day")],
        ("query", "price"): "decimal_parsing",
        ("query", "key"): "uuid_parsing",
    }


def test_a_schema_is_validated_and_written(client: TestClient) -> None:
    sent = {"name": "Ada", "age": 36, "tags": ["math"], "address": {"street": "12 St James's Sq"}, "color": "blue"}
    answer = client.post("/person", json=sent)
    assert answer.status_code == 201
    assert answer.json() == {**sent, "address": {"street": "12 St James's Sq", "city": "London"}}


def test_absent_fields_take_their_defaults_anew(client: TestClient) -> None:
    for _ in range(2):
        answer = client.post("/person", json={"name": "Ada", "age": 36})
        assert answer.json() == {"name": "Ada", "age": 36, "tags": [], "address": None, "color": "red"}


def test_errors_in_a_body_name_their_place(client: TestClient) -> None:
    answer = client.post("/person", json={"name": "Ada Lovelace", "age": 200, "tags": ["a", 5], "address": {}})
    assert [(error["loc"], error["type"]) for error in answer.json()["errors"]] == [
        (["body", "name"], "string_too_long"),
        (["body", "age"], "less_than_equal"),
        (["body", "tags", 1], "string_type"),
        (["body", "address", "street"], "missing"),
    ]


def test_a_class_may_refuse_what_its_fields_allow(client: TestClient) -> None:
    answer = client.post("/checked", json={"low": 2, "high": 1})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"loc": ["body"], "type": "value_error", "msg": "low must not be above high"}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/data", {"name": "x", "when": "2026-01-02T03:04:05Z"}),
        ("/typeddict", {"name": "x", "size": "1.50"}),
        ("/struct", {"firstName": "Ada", "age": 20}),
        ("/model", {"name": "x", "size": 3}),
        ("/tree", {"value": 1, "children": [{"value": 2, "children": []}]}),
        ("/anything", {"a": [1, 2.5, None, True, {"b": "ü\u2028"}], "big": 2**80}),
    ],
)
def test_every_kind_of_body_makes_the_round_trip(client: TestClient, path: str, body: Any) -> None:
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()) == (200, body)


def test_pydantic_reports_in_our_terms(client: TestClient) -> None:
    answer = client.post("/model", json={"size": 0})
    assert [(error["loc"], error["type"]) for error in answer.json()["errors"]] == [
        (["body", "name"], "missing"),
        (["body", "size"], "greater_than"),
    ]


def test_several_bodies_are_keys_of_one(client: TestClient) -> None:
    body = {"person": {"name": "Ada", "age": 1}, "data": {"name": "d"}}
    assert client.post("/two", json=body).json() == {"person": "Ada", "data": "d", "extra": 5}
    answer = client.post("/two", json={"person": {"name": "Ada", "age": -1}})
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", "person", "age"], ["body", "data"]]


def test_a_form_is_read(client: TestClient) -> None:
    answer = client.post("/form", data={"name": "a b", "sizes": [1, 2]})
    assert answer.json() == {"name": "a b", "sizes": [1, 2]}
    assert client.post("/form", json={"name": "x"}).status_code == 415


def test_keyword_only_parameters_are_passed_by_name(client: TestClient) -> None:
    assert client.get("/keywords/1?c=3").json() == [1, 2, 3]
    assert client.get("/keywords/1?c=3&b=7").json() == [1, 7, 3]
    assert client.get("/sync/1?b=9").json() == [1, 9]
    assert client.get("/sync/1").json() == [1, 2]


def test_the_request_is_there_for_those_who_ask(client: TestClient) -> None:
    answer = client.get("/request/a%2Fb/c%20d?x=1&x=2", headers={"Host": "h", "Content-Length": "0"})
    assert answer.json() == {
        "method": "GET", "path": "/request/a%2Fb/c%20d", "rest": "a/b/c d", "query": [["x", "1"], ["x", "2"]],
        "host": "h", "missing": "none", "body": 0,
    }  # fmt: skip


def test_responses_carry_status_and_headers(client: TestClient) -> None:
    made = client.get("/response")
    assert (made.status_code, made.headers["x-made"], made.json()) == (202, "yes", {"made": True})
    gone = client.get("/redirect")
    assert (gone.status_code, gone.headers["location"], gone.content) == (307, "/elsewhere", b"")
    assert client.delete("/nothing").status_code == 204


def test_text_is_html_or_plain_and_redirects_go_elsewhere() -> None:
    api = API()

    @api.get("/html")
    async def html() -> HTML:
        return HTML("<p>Grüße", status=203, headers={"x-a": "b"})

    @api.get("/plain")
    async def plain() -> PlainText:
        return PlainText("Grüße")

    @api.get("/moved/{status}")
    async def moved(status: int) -> Redirect:
        return Redirect("https://elsewhere.example/?q=1", status)

    with TestClient(api) as client:
        page, text = client.get("/html"), client.get("/plain")
        assert (page.status_code, page.headers["content-type"]) == (203, "text/html; charset=utf-8")
        assert (page.text, page.headers["x-a"]) == ("<p>Grüße", "b")
        assert (text.headers["content-type"], text.text) == ("text/plain; charset=utf-8", "Grüße")
        for status in (301, 302, 303, 307, 308):
            gone = client.get(f"/moved/{status}")
            assert (gone.status_code, gone.headers["location"]) == (status, "https://elsewhere.example/?q=1")
    for wrong in (200, 304, 404):
        with pytest.raises(ValueError, match=rf"status={wrong}\)"):
            Redirect("/", wrong)
    for location in ("/a\r\nset-cookie: b=c", "/a\nb"):
        with pytest.raises(ValueError, match="cannot be the value of a header"):
            Redirect(location)


def test_aliases_are_names_on_the_wire() -> None:
    api = API()

    @api.post("/{the_id}")
    async def handler(
        number: Annotated[int, Path("the_id")],
        page: Annotated[int, Query("p")] = 1,
        tags: Annotated[list[str] | None, Query(alias="tag[]")] = None,
        agent: Annotated[str, Header("user-agent")] = "",
        session: Annotated[str, Cookie("__Host-s")] = "",
        name: Annotated[str, Form("full-name")] = "",
    ) -> list[Any]:
        return [number, page, tags, agent, session, name]

    with TestClient(api) as client:
        answer = client.post(
            "/7?p=2&tag[]=a&tag[]=b&page=9",
            data={"full-name": "Ada", "name": "no"},
            headers={"user-agent": "x", "cookie": "__Host-s=y; session=no"},
        )
        assert answer.json() == [7, 2, ["a", "b"], "x", "y", "Ada"]
        [error] = client.post("/7?p=x").json()["errors"]
        assert error["loc"] == ["query", "p"]


def test_a_handler_may_wait(client: TestClient) -> None:
    assert client.get("/slow").json() == "done"


def test_http_exceptions_are_problem_documents(client: TestClient) -> None:
    answer = client.get("/teapot")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-pot"] == "tea"
    assert answer.json() == {
        "type": "about:blank", "title": "I'm a Teapot", "status": 418, "detail": "short and stout", "handle": "spout",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/broken", "/nan", "/unknown", "/cycle"])
def test_faults_are_logged_and_not_shown(client: TestClient, path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get(path)
    assert answer.status_code == 500
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    assert path.removeprefix("/") in caplog.text


@pytest.mark.parametrize("query", ["span=99999999999999999", f"ids={'9' * 5000}"])
def test_what_python_cannot_hold_is_the_clients_mistake(client: TestClient, query: str) -> None:
    answer = client.get(f"/typed/1?q=x&{query}")
    assert answer.status_code == 422


def test_a_body_must_be_what_it_says(client: TestClient) -> None:
    assert client.post("/person", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post("/person", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post("/person").json()["errors"] == [{"loc": ["body"], "type": "missing", "msg": "Field required"}]


@pytest.mark.parametrize(
    ("shape", "status", "body"),
    [
        ("drf", 400, {"low": ["Field required"], "high": ["Input should be a valid integer"]}),
        (
            "fastapi",
            422,
            {
                "detail": [
                    {"loc": ["body", "low"], "type": "missing", "msg": "Field required"},
                    {"loc": ["body", "high"], "type": "int_type", "msg": "Input should be a valid integer"},
                ]
            },
        ),
    ],
)
def test_errors_take_the_shape_of_other_frameworks(shape: str, status: int, body: Any) -> None:
    with TestClient(api, errors=shape) as client:
        answer = client.post("/checked", json={"high": "x"})
    assert answer.status_code == status
    found = answer.json()
    if shape == "fastapi":
        found["detail"].sort(key=lambda error: error["loc"], reverse=True)
    assert found == body


def test_a_client_belongs_to_its_thread() -> None:
    with TestClient(api) as client, concurrent.futures.ThreadPoolExecutor(1) as pool:
        with pytest.raises(RuntimeError, match="Make one per thread"):
            pool.submit(client.get, "/slow").result()
        assert client.get("/slow").status_code == 200


def test_a_forgotten_client_may_be_collected_anywhere() -> None:
    forgotten = [TestClient(api)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(forgotten.clear).result()


def test_a_forgotten_client_may_be_collected_while_another_one_is_asked() -> None:
    forgotten = [TestClient(api)]
    asked = API()

    @asked.get("/forget")
    async def forget() -> int:
        forgotten.clear()
        return len(forgotten)

    with TestClient(asked) as client:
        assert client.get("/forget").json() == 0
