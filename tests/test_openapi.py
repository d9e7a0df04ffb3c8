"""What the OpenAPI document says: answers, leaf types, examples, names, and who may read it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from catalog.models import Article

from plectrum import (
    API,
    ConfigurationError,
    Conflict,
    Field,
    NotFound,
    One,
    PageNumber,
    Path,
    Query,
    Schema,
    UploadFile,
    _core,
    conf,
)
from plectrum.auth import JWT, Session
from plectrum.guards import HasClaim, IsAuthenticated
from plectrum.testing import TestClient
from plectrum.views import ModelViewSet

SECRET = "0123456789abcdef" * 4


def document(api: API) -> Any:
    return json.loads(_core.App(api.compile(), conf.current().to_json()).openapi())


def statuses(api: API, path: str, method: str = "get") -> set[str]:
    return set(document(api)["paths"][path][method]["responses"]) - {"default"}


class TestAnswers:
    def test_a_row_may_be_missing_and_a_page_too(self) -> None:
        api = API()
        api.resource(Article, page=PageNumber(size=5))
        api.resource(Article, "/all", actions=["list"], page=None)

        @api.get("/latest")
        async def latest() -> One[Article]: ...

        assert statuses(api, "/articles/{id}") == {"200", "404", "422"}
        assert statuses(api, "/articles") == {"200", "404", "422"}
        assert statuses(api, "/all") == {"200", "422"}
        assert statuses(api, "/latest") == {"200", "404"}

    def test_what_writes_may_be_in_conflict(self) -> None:
        api = API()
        api.resource(Article, actions=["create", "update", "delete", "bulk_create"])

        @api.viewset("/sets")
        class Articles(ModelViewSet):
            model = Article

        for path in ("/articles", "/sets"):
            assert statuses(api, path, "post") == {"201", "409", "422"}
            assert statuses(api, path + "/{id}", "put") == {"200", "404", "409", "422"}
            assert statuses(api, path + "/{id}", "delete") == {"204", "404", "409", "422"}
        assert statuses(api, "/articles/bulk", "post") == {"201", "409", "422"}

    def test_gates_refuse(self, settings: Any) -> None:
        api = API(auth=[JWT(key=SECRET), Session()])

        @api.get("/read", throttle="5/s")
        async def read() -> int: ...

        @api.post("/write")
        async def write() -> int: ...

        @api.get("/admins", guards=[HasClaim("role", "admin")])
        async def admins() -> int: ...

        @api.get("/open", auth=None)
        async def everybody() -> int: ...

        assert statuses(api, "/read") == {"200", "401", "429"}
        assert statuses(api, "/write", "post") == {"200", "401", "403"}  # CSRF
        assert statuses(api, "/admins") == {"200", "401", "403"}
        assert statuses(api, "/open") == {"200"}
        schemes = document(api)["components"]["securitySchemes"]
        assert schemes["jwt"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        assert schemes["session"] == {"type": "apiKey", "in": "cookie", "name": "sessionid"}

    def test_the_usual_rate_is_everybodys_who_says_nothing(self) -> None:
        api = API()

        @api.get("/usual")
        async def usual() -> int: ...

        @api.get("/free", throttle=None)
        async def free() -> int: ...

        assert statuses(api, "/usual") == {"200"}
        with TestClient(api, throttle=("100/s",)) as client:
            served = client.get("/openapi.json").json()
        limited = dataclasses.replace(conf.current(), throttle=("100/s",))
        assert json.loads(_core.App(api.compile(), limited.to_json()).openapi()) == served
        assert set(served["paths"]["/usual"]["get"]["responses"]) == {"200", "429", "default"}
        assert set(served["paths"]["/free"]["get"]["responses"]) == {"200", "default"}

    def test_those_that_routes_name(self) -> None:
        class Waiting(Schema):
            seconds: int

        api = API()

        @api.get("/a", responses=[NotFound, 418])
        async def a() -> int: ...

        @api.get("/b", responses={Conflict: "It is sold.", 202: Waiting, 204: None})
        async def b() -> int: ...

        found = document(api)["paths"]
        assert found["/a"]["get"]["responses"]["418"]["description"] == "I'm a Teapot"
        answers = found["/b"]["get"]["responses"]
        assert answers["409"]["description"] == "It is sold."
        assert answers["202"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Waiting"}
        assert answers["204"] == {"description": "No Content"}

    @pytest.mark.parametrize("wrong", [[99], ["404"], [ValueError], {int: "x"}])
    def test_what_is_no_answer(self, wrong: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"test_openapi\.py:\d+: responses= takes statuses and exceptions"):

            @API().get("/a", responses=wrong)
            async def a() -> int: ...


class Colour(enum.Enum):
    RED = "red"


class Room(Schema):
    name: Annotated[str, Field(examples=["Blue", "Green"])]
    opens: Annotated[dt.time, Field(examples=[dt.time(8, 30)])]


class Point(TypedDict):
    x: int


@dataclasses.dataclass
class Size:
    width: float


class Struct(msgspec.Struct):
    a: int


class Model(pydantic.BaseModel):
    a: int


#: A type, and what its description has to have.
LEAVES: list[tuple[Any, dict[str, Any]]] = [
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (dt.date, {"type": "string", "format": "date"}),
    (dt.datetime, {"type": "string", "format": "date-time"}),
    (dt.time, {"type": "string", "format": "time-local"}),
    (dt.timedelta, {"type": "string"}),
    (Colour, {"enum": ["red"], "type": "string"}),
    (Literal["a", 1], {"enum": ["a", 1]}),
    (None, {"type": "null"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
    (tuple[int, str], {"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (Point, {"$ref": "#/components/schemas/Point"}),
    (Size, {"$ref": "#/components/schemas/Size"}),
    (Struct, {"$ref": "#/components/schemas/Struct"}),
    (Annotated[int, Field(ge=1, lt=5, multiple_of=2)], {"minimum": 1, "exclusiveMaximum": 5, "multipleOf": 2}),
    (
        Annotated[str, Field(min_length=1, max_length=5, pattern="^a")],
        {"minLength": 1, "maxLength": 5, "pattern": "^a"},
    ),
    (Annotated[str, Field(format="email")], {"format": "email"}),
    (Annotated[list[int], Field(min_length=1)], {"minItems": 1}),
]


@pytest.mark.parametrize(("annotation", "expected"), LEAVES, ids=[str(leaf[0]) for leaf in LEAVES])
def test_every_type_is_described(annotation: Any, expected: dict[str, Any]) -> None:
    api = API()

    async def answer() -> Any: ...

    answer.__annotations__["return"] = annotation
    api.get("/a")(answer)
    content = document(api)["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]
    assert {name: content["schema"].get(name) for name in expected} == expected


def test_decimals_pydantic_and_files() -> None:
    api = API()

    @api.post("/a")
    async def a(price: Annotated[decimal.Decimal, Query()], it: Model) -> None: ...

    @api.post("/b")
    async def b(file: UploadFile) -> None: ...

    paths = document(api)["paths"]
    assert paths["/a"]["post"]["parameters"][0]["schema"]["anyOf"][1]["format"] == "decimal"
    body = paths["/a"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"] == {"a": {"title": "A", "type": "integer"}}
    form = paths["/b"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["contentMediaType"] == "application/octet-stream"


def test_examples() -> None:
    api = API()

    @api.get("/rooms/{id}")
    async def room(id: Annotated[int, Path(examples=[7])]) -> Room: ...

    found = document(api)
    assert found["paths"]["/rooms/{id}"]["get"]["parameters"][0]["schema"]["examples"] == [7]
    properties = found["components"]["schemas"]["Room"]["properties"]
    assert (properties["name"]["examples"], properties["opens"]["examples"]) == (["Blue", "Green"], ["08:30:00"])


class TestOperationIds:
    def test_given(self) -> None:
        api = API()

        @api.get("/a", operation_id="readA")
        async def a() -> int: ...

        assert document(api)["paths"]["/a"]["get"]["operationId"] == "readA"

    @pytest.mark.parametrize(
        "options", [({"operation_id": "one"}, {"operation_id": "one"}), ({"name": "a_b"}, {"name": "a"})]
    )
    def test_two_operations_of_one_id_are_refused(self, options: tuple[dict[str, str], dict[str, str]]) -> None:
        api = API()

        @api.get("/c", **options[0])
        async def first() -> int: ...

        @api.get("/b/c", **options[1])
        async def second() -> int: ...

        told = r"test_openapi\.py:\d+: GET /b/c has the operation id '\w+', which GET /c has already \(.*\.py:\d+\)"
        with pytest.raises(ConfigurationError, match=told):
            api.compile()

    def test_hidden_routes_have_none(self) -> None:
        api = API()

        async def a() -> int: ...

        api.get("/a", operation_id="one")(a)
        api.get("/b", operation_id="one", include_in_schema=False)(a)
        api.compile()


class TestAccess:
    @pytest.fixture
    def bearer(self) -> Callable[..., dict[str, str]]:
        def make(**claims: Any) -> dict[str, str]:
            token = _core.sign_jwt(json.dumps({"sub": "1", "exp": 2**33, **claims}), SECRET, "HS256")
            return {"authorization": f"Bearer {token}"}

        return make

    @pytest.mark.parametrize(
        "path", ["/openapi.json", "/docs", "/redoc", "/docs/assets/swagger-ui-dist/swagger-ui.css"]
    )
    def test_documents_are_for_those_who_may(self, path: str, bearer: Callable[..., dict[str, str]]) -> None:
        api = API(docs_auth=[JWT(key=SECRET)], docs_guard=HasClaim("role", "developer"))

        @api.get("/open")
        async def everybody() -> int:
            return 1

        client = TestClient(api)
        assert client.get(path).status_code == 401
        assert client.get(path, headers=bearer()).status_code == 403
        assert client.get(path, headers=bearer(role="developer")).status_code == 200
        assert client.get("/open").status_code == 200

    def test_the_api_s_own_schemes_are_taken(self, bearer: Callable[..., dict[str, str]]) -> None:
        client = TestClient(API(auth=[JWT(key=SECRET)], docs_guard=[IsAuthenticated]))
        assert client.get("/openapi.json").status_code == 401
        assert client.get("/openapi.json", headers=bearer()).status_code == 200

    def test_a_guard_that_nobody_could_pass(self) -> None:
        with pytest.raises(ConfigurationError, match=r"test_openapi\.py:\d+: docs_guard=: .* has no auth="):
            API(docs_guard=IsAuthenticated).compile()


@pytest.mark.parametrize(
    ("options", "settings", "there"),
    [
        ({}, {}, [200, 200, 200]),
        ({}, {"openapi": False}, [404, 404, 404]),
        ({"openapi_url": None}, {}, [404, 404, 404]),
        ({"docs_url": None}, {}, [200, 404, 200]),
        ({"redoc_url": None}, {}, [200, 200, 404]),
    ],
)
def test_documents_can_be_switched_off(options: dict[str, Any], settings: dict[str, Any], there: list[int]) -> None:
    with TestClient(API(**options), **settings) as client:
        assert [client.get(path).status_code for path in ("/openapi.json", "/docs", "/redoc")] == there
