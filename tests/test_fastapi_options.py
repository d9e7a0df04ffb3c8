"""What FastAPI leaves out of answers, and how applications are put together: as with pydantic's models."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

import pydantic
import pytest
from catalog.models import Author
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse, Response, StreamingResponse

from plectrum.fastapi import FastAPIModel, PlectrumResponse, PlectrumRoute
from plectrum.schema import Field, Schema
from tests.test_fastapi import NOW, TestClient

ROUTES = [None, PlectrumRoute]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"response_model_exclude_defaults": True},
    {"response_model_exclude_none": True},
    {"response_model_include": {"name", "nick"}},
    {"response_model_include": {"name": True, "inner": {"b"}}},
    {"response_model_exclude": {"name"}},
    {"response_model_exclude": {"inner": {"b"}}},
    {"response_model_exclude": {"many": {"__all__": {"a"}}}},
    {"response_model_exclude": {"many": {0}}},
    {"response_model_exclude": {"by": {"x"}, "pair": {1: {"a"}}}},
    {"response_model_by_alias": False},
    {"response_model_by_alias": False, "response_model_exclude_none": True, "response_model_exclude": {"n"}},
]


def models(base: Any, field: Any) -> Any:
    """The same two models of ours and of pydantic's."""
    made = type(base)
    names: dict[str, Any] = {"a": int | None, "b": int}
    inner = made("Inner", (base,), {"__module__": __name__, "__annotations__": names, "a": None, "b": 5})
    names = {
        "name": str, "nick": str, "n": int | None, "price": decimal.Decimal, "on": datetime.date, "inner": inner | None,
        "many": list[inner], "by": dict[str, inner], "pair": tuple[int, inner] | None, "either": inner | int | None,
    }  # fmt: skip
    defaults = {
        "nick": field(default="", alias="nickName"), "n": None, "price": decimal.Decimal("1.50"),
        "on": datetime.date(2026, 11, 20), "inner": None, "many": field(default_factory=list),
        "by": field(default_factory=dict), "pair": None, "either": None,
    }  # fmt: skip
    return made("Outer", (base,), {"__module__": __name__, "__annotations__": names, **defaults})


DICTS: list[dict[str, Any]] = [
    {"name": "y"},
    {"name": "x", "nickName": "q", "inner": {"b": 7}, "many": [{"a": 1}, {}], "either": {"b": 5}},
    {"name": "x", "n": None, "by": {"x": {}, "y": {"a": 2}}, "pair": [1, {"b": 5}], "price": "1.5", "either": 3},
]


def returning(value: Any) -> Any:
    async def handler() -> Any:
        return value

    return handler


def answers(base: Any, field: Any, route: Any, options: dict[str, Any], *, instances: bool = True) -> dict[str, Any]:
    """Each of the values as one and as a list, by its path."""
    outer = models(base, field)
    validate = outer.validate if base is Schema else outer.model_validate
    app = FastAPI()
    if route is not None:
        app.router.route_class = route
    for number, data in enumerate(DICTS):
        values = {f"dict{number}": data, **({f"instance{number}": validate(data)} if instances else {})}
        for path, value in values.items():
            for prefix, model, answer in (("/one/", outer, value), ("/many/", list[outer], [value])):
                app.get(prefix + path, response_model=model, **options)(returning(answer))
    client = TestClient(app)
    found = {route.path: client.get(route.path) for route in app.routes if route.path.startswith(("/one", "/many"))}  # type: ignore[attr-defined]
    return {path: (response.status_code, response.text) for path, response in found.items()}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("options", OPTIONS, ids=", ".join)  # one order in every process: xdist compares
def test_what_is_left_out(options: dict[str, Any], route: Any) -> None:
    ours = answers(Schema, Field, route, options)
    assert len(ours) == 12
    assert ours == answers(pydantic.BaseModel, pydantic.Field, None, options)


@pytest.mark.parametrize("more", [{}, {"response_model_exclude_none": True}])
def test_what_was_not_given(more: dict[str, Any]) -> None:
    """Known of dicts; an instance does not remember, and has all of its fields."""
    options = {"response_model_exclude_unset": True, **more}
    ours = answers(Schema, Field, PlectrumRoute, options, instances=False)
    assert ours == answers(pydantic.BaseModel, pydantic.Field, None, options, instances=False)


class Row(TypedDict):
    id: int
    secret: str


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES)
def test_of_other_sources(route: Any) -> None:
    author = Author(id=1, name="Ada", email="a@example.com", country="gb", joined_at=NOW)
    app = FastAPI()
    if route is not None:
        app.router.route_class = route

    @app.get(
        "/model", response_model=FastAPIModel(Author, fields=["id", "name", "born"]), response_model_exclude={"id"}
    )
    async def model() -> Any:
        return author

    @app.get("/none", response_model=FastAPIModel(Author, fields=["id", "born"]), response_model_exclude_none=True)
    async def none() -> Any:
        return author

    @app.get("/dict", response_model=FastAPIModel(Row), response_model_exclude={"secret"})
    async def typed() -> Any:
        return {"id": 1, "secret": "x"}

    client = TestClient(app)
    assert client.get("/model").json() == {"name": "Ada", "born": None}
    assert client.get("/none").json() == {"id": 1}
    assert client.get("/dict").json() == {"id": 1}


def put_together(person: Any, route: Any) -> FastAPI:
    """Routers within routers, an application within another, dependencies, response classes, streams."""
    options: dict[str, Any] = {} if route is None else {"route_class": route}
    app, sub = FastAPI(), FastAPI()
    inner, outer = APIRouter(prefix="/inner", **options), APIRouter(prefix="/outer", tags=["people"], **options)
    cleaned: list[str] = []

    async def session() -> AsyncIterator[str]:
        yield "session"
        cleaned.append("done")

    def known(x_key: Annotated[str, Header()]) -> str:
        if x_key != "k":
            raise HTTPException(403, "no")
        return x_key

    async def add(body: Any, key: Any, opened: Any) -> Any:
        assert (key, opened) == ("k", "session")
        return body

    add.__annotations__ = {
        "body": person, "key": Annotated[str, Depends(known)], "opened": Annotated[str, Depends(session)],
    }  # fmt: skip

    async def one() -> Any:
        return {"name": "Ada"}

    async def stream() -> Any:
        return StreamingResponse(iter([b"a", b"b"]), media_type="text/plain")

    async def ready() -> Any:
        return JSONResponse({"as": "it is"}, status_code=202, headers={"x-a": "b"})

    inner.post("/people", response_model=person, status_code=201, responses={409: {"model": person}})(add)
    inner.get("/one", response_model=person, response_class=PlectrumResponse if route else JSONResponse)(one)
    inner.get("/stream", response_class=StreamingResponse)(stream)
    inner.get("/ready", response_model=person)(ready)
    inner.get("/nothing", status_code=204, response_class=Response)(lambda: None)
    outer.include_router(inner)
    app.include_router(outer, prefix="/v1")
    sub.include_router(outer)
    app.mount("/mounted", sub)
    app.state.cleaned = cleaned
    return app


class Person(Schema):
    name: str
    age: int = 3


class Human(pydantic.BaseModel):
    name: str
    age: int = 3


Human.__name__ = Human.__qualname__ = "Person"
Human.model_rebuild(force=True)


@pytest.mark.parametrize("route", ROUTES)
def test_applications_put_together(route: Any) -> None:
    ours, theirs = put_together(Person, route), put_together(Human, None)
    if route is None:
        assert ours.openapi() == theirs.openapi()
    for prefix in ("/v1/outer/inner", "/mounted/outer/inner"):
        for method, path, options in (
            ("POST", "/people", {"json": {"name": "Ada"}, "headers": {"x-key": "k"}}),
            ("POST", "/people", {"json": {"name": 3}, "headers": {"x-key": "k"}}),
            ("POST", "/people", {"json": {"name": "Ada"}, "headers": {"x-key": "no"}}),
            ("POST", "/people", {"json": [], "headers": {"x-key": "k"}}),
            ("POST", "/people", {"json": {"name": "Ada"}}),
            ("POST", "/people", {"content": b"{", "headers": {"x-key": "k", "content-type": "application/json"}}),
            ("GET", "/one", {}), ("GET", "/stream", {}), ("GET", "/ready", {}), ("GET", "/nothing", {}),
        ):  # fmt: skip
            found, expected = (TestClient(app).request(method, prefix + path, **options) for app in (ours, theirs))
            assert (found.status_code, told(found)) == (expected.status_code, told(expected))
            assert {**found.headers, "content-length": ""} == {**expected.headers, "content-length": ""}
    assert ours.state.cleaned == theirs.state.cleaned


def told(response: Any) -> Any:
    """A body; of errors their places and kinds, which FastAPI's models tell by what they read: attributes."""
    if response.status_code != 422:
        return response.text
    errors = json.loads(response.text)["detail"]
    return [(error["loc"], error["type"].replace("model_attributes_type", "model_type")) for error in errors]
