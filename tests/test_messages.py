"""What is told when something is wrong: the user's own line, what was found, and the fix, word for word.

A line is written `{name}` where the expected text names it: the line of the source that ends with `# name`.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from catalog.models import Article

from plectrum import (
    API,
    ConfigurationError,
    Cookie,
    Field,
    Form,
    Header,
    PlanError,
    Query,
    Schema,
    SchemaError,
    conf,
)
from plectrum import (
    Path as PathParam,
)
from plectrum.testing import TestClient

HERE = "tests/test_messages.py"
Declare = Callable[[API], None]


def marked(text: str, source: Any) -> str:
    """`text` with each `{mark}` as the place of the line of a function or class that carries the mark."""
    lines, first = inspect.getsourcelines(source)

    def found(match: re.Match[str]) -> str:
        return f"{HERE}:" + next(str(first + n) for n, line in enumerate(lines) if line.endswith(f"# {match[1]}\n"))

    return re.sub(r"\{(\w+)\}", found, text)


def said(declare: Declare) -> tuple[type[BaseException], str]:
    """The error of making an app."""
    api = API()
    try:
        declare(api)
        TestClient(api)
    except (ConfigurationError, SchemaError, PlanError) as error:
        return type(error), str(error)
    pytest.fail("there is no error")


# ── Routes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def sync_handler(api: API) -> None:
    @api.get("/")  # line
    def handler() -> None: ...


def async_in_pool(api: API) -> None:
    @api.get("/", sync=True)  # line
    async def handler() -> None: ...


def path_without_parameter(api: API) -> None:
    @api.get("/{id}")  # line
    async def handler() -> None: ...


def parameter_without_path(api: API) -> None:
    @api.get("/")  # line
    async def handler(id: Annotated[int, PathParam()]) -> None: ...


def unknown_converter(api: API) -> None:
    @api.get("/{id:integer}")  # line
    async def handler(id: int) -> None: ...


def relative_path(api: API) -> None:
    @api.get("hello")  # line
    async def handler() -> None: ...


def duplicate(api: API) -> None:
    @api.get("/{id}")  # first
    async def one(id: int) -> None: ...

    @api.get("/{name}")  # second
    async def two(name: str) -> None: ...


def in_the_way_of_documents(api: API) -> None:
    @api.get("/docs")  # line
    async def handler() -> None: ...


def misspelt_option(api: API) -> None:
    @api.get("/", stauts=201)  # line
    async def handler() -> None: ...


def impossible_status(api: API) -> None:
    @api.get("/", status=2000)  # line
    async def handler() -> None: ...


def any_arguments(api: API) -> None:
    @api.get("/")  # line
    async def handler(**options: Any) -> None: ...


def body_and_form(api: API) -> None:
    @api.post("/")  # line
    async def handler(person: dict[str, str], name: Annotated[str, Form()]) -> None: ...


def impossible_header(api: API) -> None:
    @api.get("/")  # line
    async def handler(token: Annotated[str, Header("x token")]) -> None: ...


def undefined_annotation(api: API) -> None:
    @api.get("/")  # line
    async def handler(id: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


ROUTES: list[tuple[Declare, str]] = [
    (
        sync_handler,
        (
            "{line}: sync_handler.<locals>.handler() is a plain 'def' and would block the worker while it runs. "
            "Write 'async def', or register it with sync=True to run it in the thread pool."
        ),
    ),
    (
        async_in_pool,
        (
            "{line}: async_in_pool.<locals>.handler() is 'async def' and sync=True is for plain functions. "
            "Remove sync=True."
        ),
    ),
    (
        path_without_parameter,
        (
            "{line}: the path names {{id}}, but path_without_parameter.<locals>.handler() has no parameter 'id'. "
            "Add the parameter or take it out of the path."
        ),
    ),
    (parameter_without_path, "{line}: route `GET /`: the path has no parameter {{id}}."),
    (
        unknown_converter,
        (
            "{line}: route `/{{id:integer}}`: parameter type `integer` is unknown: use one of int, uuid, date, "
            "decimal, "
            "float, slug, str, path."
        ),
    ),
    (relative_path, "{line}: the path 'hello' must start with \"/\"."),
    (
        duplicate,
        (
            "{second}: route `GET /{{name}}` can never be reached: `GET /{{id}}` matches the same paths. "
            "The other one is at {first}. Give one of them another path or method."
        ),
    ),
    (
        in_the_way_of_documents,
        (
            "{line}: a document is served at `/docs` already: give the route another path, or the document "
            "(openapi_url=, docs_url=, redoc_url=)."
        ),
    ),
    (misspelt_option, "{line}: a route has no option 'stauts'. Did you mean 'status'?"),
    (impossible_status, "{line}: status=2000 is not an answer's: 200 to 599."),
    (
        any_arguments,
        "{line}: any_arguments.<locals>.handler() takes *options, which no request can fill. Name each parameter.",
    ),
    (
        body_and_form,
        (
            "{line}: body_and_form.<locals>.handler() takes both a body (person) and form fields. "
            "A request has one body: use one or the other."
        ),
    ),
    (impossible_header, '{line}: route `GET /`: "x token" cannot be the name of a header.'),
    (
        undefined_annotation,
        (
            "{line}: the annotation 'Nowhere' of undefined_annotation.<locals>.handler() is not defined where "
            "the function "
            "is. Import it at run time (not only under TYPE_CHECKING)."
        ),
    ),
]


@pytest.mark.parametrize(("declare", "text"), ROUTES, ids=[declare.__name__ for declare, _ in ROUTES])
def test_routes(declare: Declare, text: str) -> None:
    kind, message = said(declare)
    expected = marked(text.replace("{{", "\0").replace("}}", "\1"), declare).replace("\0", "{").replace("\1", "}")
    assert (kind, message) == (ConfigurationError, expected)


# ── Types ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Odd: ...


def unknown_type(api: API) -> None:
    @api.get("/")  # line
    async def handler(odd: Odd) -> None: ...


def unknown_type_inside(api: API) -> None:
    @api.get("/")  # line
    async def handler(odd: dict[str, list[complex]]) -> None: ...


def constraint_of_another_type(api: API) -> None:
    @api.get("/")  # line
    async def handler(size: Annotated[int, Query(max_length=3)]) -> None: ...


def bound_that_is_no_number(api: API) -> None:
    @api.get("/")  # line
    async def handler(size: Annotated[int, Query(ge="one")]) -> None: ...


def bounds_nothing_meets(api: API) -> None:
    @api.get("/")  # line
    async def handler(name: Annotated[str, Cookie(min_length=5, max_length=3)]) -> None: ...


def pattern_that_does_not_compile(api: API) -> None:
    @api.get("/")  # line
    async def handler(name: Annotated[str, Query(pattern="(?=a)")]) -> None: ...


class Person(Schema):
    name: str


def list_of_lists_in_a_query(api: API) -> None:
    @api.get("/")  # line
    async def handler(matrix: list[list[int]] | None = None) -> None: ...


def constraint_in_a_schema(api: API) -> None:
    class Aged(Schema):  # line
        name: str
        age: Annotated[int, Field(pattern="a")]


@dataclasses.dataclass  # line
class Complex:
    name: complex


def type_in_a_dataclass(api: API) -> None:
    @api.post("/")
    async def handler(person: Complex) -> None: ...


TYPES: list[tuple[Declare, str]] = [
    (
        unknown_type,
        (
            "{line}: unknown_type.<locals>.handler(odd): tests.test_messages.Odd is not a type Plectrum can validate. "
            "Use a standard type, a dataclass, TypedDict, msgspec.Struct, pydantic model or plectrum.Schema."
        ),
    ),
    (
        unknown_type_inside,
        (
            "{line}: unknown_type_inside.<locals>.handler(odd)[]: builtins.complex is not a type Plectrum can "
            "validate. "
            "Use a standard type, a dataclass, TypedDict, msgspec.Struct, pydantic model or plectrum.Schema."
        ),
    ),
    (
        constraint_of_another_type,
        (
            "{line}: constraint_of_another_type.<locals>.handler(size): the constraint max_length=3 does not "
            "fit the type "
            "'int'. max_length goes with: str, bytes, list, dict."
        ),
    ),
    (
        bound_that_is_no_number,
        "{line}: bound_that_is_no_number.<locals>.handler(size): `ge` must be a finite number, found one.",
    ),
    (
        bounds_nothing_meets,
        "{line}: bounds_nothing_meets.<locals>.handler(name): no value meets both min_length=5 and max_length=3.",
    ),
    (
        pattern_that_does_not_compile,
        (
            "{line}: pattern_that_does_not_compile.<locals>.handler(name): `pattern` does not compile: regex "
            "parse error:\n"
            "    (?=a)\n    ^^^\n"
            "error: look-around, including look-ahead and look-behind, is not supported; look-around and "
            "back-references "
            "are not supported, since they make matching time unbounded."
        ),
    ),
    (
        list_of_lists_in_a_query,
        (
            "{line}: list_of_lists_in_a_query.<locals>.handler(matrix): an object or a list of lists cannot be read "
            "from a query parameter. Take it from the JSON body (Body()), or take scalars and lists of scalars."
        ),
    ),
    (
        constraint_in_a_schema,
        "{line}: Aged.age: the constraint pattern='a' does not fit the type 'int'. pattern goes with: str.",
    ),
    (
        type_in_a_dataclass,
        (
            "{line}: Complex.name: builtins.complex is not a type Plectrum can validate. "
            "Use a standard type, a dataclass, TypedDict, msgspec.Struct, pydantic model or plectrum.Schema."
        ),
    ),
]


@pytest.mark.parametrize(("declare", "text"), TYPES, ids=[declare.__name__ for declare, _ in TYPES])
def test_types(declare: Declare, text: str) -> None:
    where = {type_in_a_dataclass: Complex}.get(declare, declare)
    assert said(declare) == (SchemaError, marked(text, where))


# ── Query functions ────────────────────────────────────────────────────────────────────────────────────────────

ONCE = (
    "but it runs once, at start-up, when parameters have no value yet. Either declare the choice (filters=, ordering=, "
    "search=, page=), or make the handler `async def`, so that it runs on each request."
)


def asks_for_its_truth(api: API) -> None:
    @api.query.get("/")
    def articles(size: int) -> Any:
        if size > 3:  # line
            return Article.objects.all()
        return Article.objects.none()


def asks_for_its_text(api: API) -> None:
    @api.query.get("/")
    def articles(title: str) -> Any:
        return Article.objects.filter(title=f"the {title}")  # line


def reads_an_attribute(api: API) -> None:
    @api.query.get("/")
    def articles(title: str) -> Any:
        return Article.objects.filter(title=title.upper())  # line


def runs_a_query(api: API) -> None:
    @api.query.get("/")
    def articles(id: int) -> Any:
        return list(Article.objects.filter(pk=id))  # line


def names_no_field(api: API) -> None:
    @api.query.get("/")  # line
    def articles(title: str) -> Any:
        return Article.objects.filter(titel=title)


def is_async(api: API) -> None:
    @api.query.get("/")  # line
    async def articles() -> Any:
        return Article.objects.all()


def filters_by_no_field(api: API) -> None:
    @api.query.get("/", filters=["author__nam"])  # line
    def articles() -> Any:
        return Article.objects.all()


def filters_by_no_lookup(api: API) -> None:
    @api.query.get("/", filters=["views__startswith_"])  # line
    def articles() -> Any:
        return Article.objects.all()


def takes_an_object(api: API) -> None:
    @api.query.get("/")  # line
    def articles(person: Person) -> Any:
        return Article.objects.filter(title=person)


def resource_of_no_model(api: API) -> None:
    api.resource(dict)  # line


def resource_without_that_field(api: API) -> None:
    api.resource(Article, fields=["title", "pric"])  # line


def resource_with_no_such_lookup(api: API) -> None:
    api.resource(Article, filters={"by": "author__nam"})  # line


QUERIES: list[tuple[Declare, type[Exception], str]] = [
    (
        asks_for_its_truth,
        PlanError,
        f"{{line}}\n    if size > 3:  # line\nThe query function compares it (parameter 'size'), {ONCE}",
    ),
    (
        asks_for_its_text,
        PlanError,
        (
            '{line}\n    return Article.objects.filter(title=f"the (title)")  # line\n'
            f"The query function asks for its text (parameter 'title'), {ONCE}"
        ),
    ),
    (
        reads_an_attribute,
        PlanError,
        (
            "{line}\n    return Article.objects.filter(title=title.upper())  # line\n"
            f"The query function reads its attribute 'upper' (parameter 'title'), {ONCE}"
        ),
    ),
    (
        runs_a_query,
        PlanError,
        (
            "{line}\n    return list(Article.objects.filter(pk=id))  # line\n"
            "The query function runs a query here, but it is called once, at start-up, to describe one. Return the "
            "QuerySet itself; One(queryset) for first() or get(), Count(queryset) for count(), Exists(queryset) "
            "for exists(); or "
            "make the handler `async def`."
        ),
    ),
    (
        names_no_field,
        PlanError,
        "{line} names_no_field.<locals>.articles(): Cannot resolve keyword 'titel' into field. Choices are: …",
    ),
    (
        is_async,
        ConfigurationError,
        (
            "{line}: is_async.<locals>.articles() is a query function and runs once, at start-up. Write it with plain "
            "'def', or register it with @api.get to run it per request."
        ),
    ),
    (
        filters_by_no_field,
        ConfigurationError,
        "{line}: filters= names 'author__nam', but BigAutoField has no lookup 'nam'.",
    ),
    (
        filters_by_no_lookup,
        ConfigurationError,
        "{line}: filters= names 'views__startswith_', but PositiveIntegerField has no lookup 'startswith_'.",
    ),
    (
        resource_of_no_model,
        ConfigurationError,
        "{line}: api.resource() takes a Django model class, not <class 'dict'>.",
    ),
    (
        resource_without_that_field,
        ConfigurationError,
        "{line}: Article has no field 'pric'. Did you mean 'price'?",
    ),
]


@pytest.mark.parametrize(("declare", "kind", "text"), QUERIES, ids=[declare.__name__ for declare, *_ in QUERIES])
def test_query_functions(declare: Declare, kind: type[Exception], text: str) -> None:
    found, message = said(declare)
    expected = marked(text, declare).replace("(title)", "{title}")
    if expected.endswith("…"):
        message = message[: len(expected) - 1] + "…"
    assert (found, message) == (kind, expected)


# ── Settings ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a settings module of a text."""

    def write(text: str) -> Path:
        path = tmp_path / "shop_settings.py"
        path.write_text(text)
        module = types.ModuleType("shop_settings")
        module.__file__ = str(path)
        exec(compile(text, path, "exec"), module.__dict__)
        monkeypatch.setitem(sys.modules, "shop_settings", module)
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop_settings")
        return path

    return write


def test_settings(project: Callable[[str], Path]) -> None:
    path = project('DEBUG = False\n\nPLECTRUM = {\n    "PROT": 8000,\n    "WORKERS": "four",\n    "BACKLOG": 0,\n}\n')
    with pytest.raises(ConfigurationError) as caught:
        conf.load(sys.modules["shop_settings"].PLECTRUM, {}, locate=conf.line_in_settings)
    assert str(caught.value).split("\n") == [
        f"{path}:4: PLECTRUM[\"PROT\"] is not a setting. Did you mean 'PORT'?",
        (
            f"{path}:5: PLECTRUM[\"WORKERS\"] is 'four', which is not an integer. "
            "WORKERS: Worker processes; 0 starts one per CPU core."
        ),
        (
            f'{path}:6: PLECTRUM["BACKLOG"] is 0, which is less than 1. '
            "BACKLOG: Connections the kernel queues before they are accepted."
        ),
    ]


def test_environment() -> None:
    with pytest.raises(ConfigurationError) as caught:
        conf.load(None, {"PLECTRUM_PORT": "http"})
    assert str(caught.value) == (
        "The environment variable PLECTRUM_PORT is 'http', which is not an integer. "
        "PORT: Port to listen on; 0 takes a free one."
    )


# ── Application errors ─────────────────────────────────────────────────────────────────────────────────────────


async def fails(items: str) -> Any:
    return int(items)  # line


def test_an_error_of_the_application_is_logged_with_its_line(caplog: pytest.LogCaptureFixture) -> None:
    api = API()
    api.get("/{items}")(fails)
    with TestClient(api) as client, caplog.at_level(logging.ERROR, logger="plectrum.request"):
        answer = client.get("/many")
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    [record] = caplog.records
    expected = "fails: ValueError: invalid literal for int() with base 10: 'many' at {line}"
    assert record.getMessage() == marked(expected, fails)
    assert record.exc_info is not None


def test_what_has_no_json_form_names_the_route_and_the_type(caplog: pytest.LogCaptureFixture) -> None:
    api = API()

    @api.get("/")
    async def handler() -> Any:
        return {"shade": Odd()}

    with TestClient(api) as client:
        assert client.get("/").status_code == 500
    assert caplog.records[0].getMessage() == (
        "handler: TypeError: Odd has no JSON form. Return a dict, list, dataclass, Schema, msgspec.Struct, pydantic "
        "model, Django model or QuerySet, or convert it first."
    )
