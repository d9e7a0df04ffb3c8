"""What cannot be planned is an error at start-up that names the user's line and the fix."""

from __future__ import annotations

import datetime as dt
import inspect
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypedDict

import pytest
from catalog.models import Article, Comment
from django.db.models import Prefetch, Value
from django.shortcuts import get_object_or_404
from django.utils import timezone

from plectrum.errors import PlanError
from plectrum.orm import One, Page, Param, queryset_of
from plectrum.orm.operation import plan_result
from tests.orm.conftest import traced

articles = Article.objects
WAYS_OUT = (
    "but it runs once, at start-up, when parameters have no value yet. Either declare the choice (filters=, ordering=, "
    "search=, page=), or make the handler `async def`, so that it runs on each request."
)


def truth(p: int) -> Any:
    return articles.all() if p else articles.none()


def number(p: int) -> Any:
    return articles.filter(views=int(p))


def text(p: str) -> Any:
    return articles.filter(title=str(p))


def formatted(p: str) -> Any:
    return articles.filter(title=f"<{p}>")


def equal(p: int) -> Any:
    return articles.filter(views=3) if p == 3 else articles.all()


def unequal(p: int) -> Any:
    return articles.filter(views=3) if p != 3 else articles.all()


def larger(p: int) -> Any:
    return articles.filter(views=3) if p > 3 else articles.all()


def smaller(p: int) -> Any:
    return articles.filter(views=3) if p < 3 else articles.all()


def iterated(p: list[int]) -> Any:
    return articles.filter(views__in=[x for x in p])  # noqa: C416


def contained(p: list[int]) -> Any:
    return articles.filter(featured=3 in p)


def attribute(p: str) -> Any:
    return articles.filter(title=p.lower())


def length(p: str) -> Any:
    return articles.filter(views=len(p))


def indexed(p: int) -> Any:
    return articles.filter(views=[1, 2][p])


def by_django(p: int) -> Any:
    return articles.annotate(x=Value(p, output_field=Article._meta.get_field("price")))


LOOKS = [
    (truth, "asks for its truth value"),
    (number, "asks for its number"),
    (text, "asks for its text"),
    (formatted, "asks for its text"),
    (equal, "compares it"),
    (unequal, "compares it"),
    (larger, "compares it"),
    (smaller, "compares it"),
    (iterated, "iterates over it or indexes it"),
    (contained, "iterates over it or indexes it"),
    (attribute, "reads its attribute 'lower'"),
    (length, "asks for its length"),
    (indexed, "asks for its number"),
]


@pytest.mark.parametrize(("function", "what"), LOOKS)
def test_looking_inside(function: Callable[..., Any], what: str) -> None:
    with pytest.raises(PlanError) as caught:
        traced(function)
    lines, first = inspect.getsourcelines(function)
    assert str(caught.value) == (
        f"tests/orm/test_errors.py:{first + 1}\n    {lines[1].strip()}\n"
        f"The query function {what} (parameter 'p'), {WAYS_OUT}"
    )


def runs_first(p: int) -> Any:
    return articles.filter(pk=p).first()


def runs_get(p: int) -> Any:
    return get_object_or_404(Article, pk=p)


def runs_count() -> Any:
    return {"n": articles.count()}


def runs_loop() -> Any:
    return [article.title for article in articles.all()]


@pytest.mark.parametrize("function", [runs_first, runs_get, runs_count, runs_loop])
def test_running_a_query(function: Callable[..., Any]) -> None:
    with pytest.raises(PlanError) as caught:
        traced(function)
    lines, first = inspect.getsourcelines(function)
    assert str(caught.value) == (
        f"tests/orm/test_errors.py:{first + 1}\n"
        f"    {lines[1].strip()}\n"
        "The query function runs a query here, but it is called once, at start-up, to describe one. Return the "
        "QuerySet itself; One(queryset) for first() or get(), Count(queryset) for count(), Exists(queryset) for "
        "exists(); or make the handler `async def`."
    )


def asks_now(p: int) -> Any:
    return articles.filter(pk=p, created_at__lt=timezone.now())


def asks_today() -> Any:
    return articles.filter(published_on=dt.date.today())


def asks_chance() -> Any:
    return articles.filter(views=random.randint(1, 3))


def asks_uuid() -> Any:
    return articles.filter(uid=uuid.uuid4())


@pytest.mark.parametrize(
    ("function", "call"),
    [
        (asks_now, "datetime.now()"),
        (asks_today, "date.today()"),
        (asks_chance, "getrandbits()"),
        (asks_uuid, "urandom()"),
    ],
)
def test_asking_for_time_or_chance(function: Callable[..., Any], call: str) -> None:
    with pytest.raises(PlanError) as caught:
        traced(function)
    lines, first = inspect.getsourcelines(function)
    assert str(caught.value) == (
        f"tests/orm/test_errors.py:{first + 1}\n"
        f"    {lines[1].strip()}\n"
        f"The query function calls {call}, but it runs once, at start-up, so every request would get that answer. "
        "Let the database ask (django.db.models.functions.Now, Random), or make the handler `async def`, so that it "
        "runs on each request."
    )


class Misspelt(TypedDict):
    titel: str


class Property(TypedDict):
    __str__: str


class Plural(TypedDict):
    comments: Comment


class Single(TypedDict):
    author: list[Misspelt]


class WrongType(TypedDict):
    title: int


class Endless(TypedDict):
    parent: Endless


def typed(annotation: Any) -> Callable[..., Any]:
    def rows() -> Any:
        return articles.all()

    rows.__annotations__["return"] = annotation
    return rows


async def _async() -> Any:
    return articles.all()


def _nothing() -> Any:
    return None


def _list() -> Any:
    return [articles.all()]


def _own_parameter(p: int) -> Any:
    return {"p": p}


def _wrong_type(p: str) -> Any:
    return articles.filter(pk=p)


def _wrong_pattern(p: int) -> Any:
    return articles.filter(title__contains=p)


def _optional(p: int | None) -> Any:
    return articles.filter(views=p)


def _isnull(p: bool) -> Any:
    return articles.filter(category__parent__name__isnull=p)


def _slice_by_text(p: str) -> Any:
    return articles.all()[:p]  # type: ignore[misc]


def _slice_twice(p: int) -> Any:
    return articles.all()[:10][:p]


def _locked() -> Any:
    return articles.select_for_update()


def _raw() -> Any:
    return articles.raw("SELECT 1")


def _extra() -> Any:
    return articles.extra(select={"one": "1"})


def _prefetch() -> Any:
    return articles.prefetch_related("coments")


def _prefetch_twice() -> Any:
    return articles.prefetch_related("comments", Prefetch("comments", Comment.objects.all()))


def _two_databases() -> Any:
    return {"a": articles.using("default"), "b": articles.using("sqlite")}


def _page_by_numbers() -> Any:
    return Page(articles.all(), number=1, size=2)


def _no_field() -> Any:
    return articles.filter(nothing=1)


MESSAGES: list[tuple[Callable[..., Any], str]] = [
    (
        typed(list[Misspelt]),
        "Misspelt.titel is neither a field, a relation nor an annotation of catalog.Article (did you mean 'title'?).",
    ),
    (
        typed(list[Property]),
        (
            "Property.__str__ is Python code on catalog.Article (function), which SQL cannot run. Annotate the "
            "queryset with it, leave it out, or build the response in an `async def` handler."
        ),
    ),
    (typed(list[Plural]), "catalog.Article.comments leads to several rows: declare it as a list, `list[Comment]`."),
    (typed(list[Single]), "catalog.Article.author leads to one row: declare it as `Misspelt`, not as a list."),
    (typed(list[WrongType]), "WrongType.title is declared as `int`, but its column is text. Declare `str`."),
    (
        typed(list[Endless]),
        (
            "Endless contains itself (Endless → Endless), which would need joins without end. Return a class of its "
            "own for the inner level."
        ),
    ),
    (_async, "A query function is a plain `def`; an `async def` handler runs per request and is not planned."),
    (
        _nothing,
        (
            "It returned NoneType; a query function returns a QuerySet, One(queryset), Count(queryset), "
            "Exists(queryset), Page(queryset, …), or a dict of these. Anything else needs an `async def` handler."
        ),
    ),
    (
        _list,
        "It returned a list; return the QuerySet itself, which becomes an array, or a dict of querysets.",
    ),
    (_own_parameter, "It returned its parameter 'p'; a query function returns what the database gives."),
    (
        _wrong_type,
        (
            "Parameter 'p' is declared as `str`, but `id__exact` compares it with a value of BigAutoField. Declare it "
            "as `int`."
        ),
    ),
    (
        _wrong_pattern,
        (
            "Parameter 'p' is declared as `int`, but `title__contains` compares it with a value of text. Declare it as "
            "`str`."
        ),
    ),
    (
        _optional,
        (
            "Parameter 'p' may be None, but `views__exact` with None is other SQL in Django (IS NULL). Declare the "
            "filter as filters=, which leaves it out where the request does not bring it, make the parameter required, "
            "or make the handler `async def`."
        ),
    ),
    (
        _isnull,
        (
            "`name__isnull` by parameter 'p' needs another join for True than for False. Filter on a column of the "
            "model itself with a `bool` parameter, or make the handler `async def`."
        ),
    ),
    (
        _locked,
        (
            "select_for_update() locks rows for a transaction, and a response is written outside of one. Lock in an "
            "`async def` handler, in a function run by sync_to_async under transaction.atomic()."
        ),
    ),
    (
        _raw,
        (
            "It returned RawQuerySet; a query function returns a QuerySet, One(queryset), Count(queryset), "
            "Exists(queryset), "
            "Page(queryset, …), or a dict of these. Anything else needs an `async def` handler."
        ),
    ),
    (
        _extra,
        (
            "The type of the selected expression 1 is not known. Give it one: ExpressionWrapper(…, "
            "output_field=models.…Field()), or output_field= where the expression takes it."
        ),
    ),
    (_prefetch, "catalog.Article has no relation 'coments' to prefetch (did you mean 'comments'?)."),
    (
        _prefetch_twice,
        (
            "prefetch_related names 'comments' twice, the second time with a queryset. Put the one with the queryset "
            "first."
        ),
    ),
    (
        _two_databases,
        (
            "One response cannot come from two databases ('default' and 'sqlite'). Make it two routes, or build it "
            "in an `async def` handler."
        ),
    ),
    (
        _page_by_numbers,
        "Page() needs parameters: number= (or offset=) one of the function's own, size= (or limit=) too or an int.",
    ),
]


@pytest.mark.parametrize(("function", "message"), MESSAGES)
def test_messages(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        traced(function)
    line = inspect.getsourcelines(function)[1]
    assert str(caught.value) == f"tests/orm/test_errors.py:{line} {function.__qualname__}(): {message}"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_slice_by_text, "A slice bound must be an `int`, and parameter 'p' is not declared as one."),
        (_slice_twice, "A queryset that is sliced already cannot be sliced again by parameter 'p'. Slice once."),
    ],
)
def test_slices(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        traced(function)
    assert str(caught.value).splitlines()[-1] == message


def test_field_errors_are_djangos() -> None:
    with pytest.raises(PlanError, match="Cannot resolve keyword 'nothing' into field"):
        traced(_no_field)


def test_page_arguments() -> None:
    with pytest.raises(PlanError, match=r"^Page\(\) needs number= and size=, or limit= and offset=\.$"):
        Page(articles.all(), number=1)
    with pytest.raises(PlanError, match=r"^Page\(\) slices the queryset itself: pass it unsliced\.$"):
        Page(articles.all()[:3], number=1, size=2)


def test_parameter_types() -> None:
    assert Param("p", list[uuid.UUID]).many
    assert Param("p", Decimal | None).optional
    with pytest.raises(PlanError) as caught:
        Param("p", complex)
    assert str(caught.value) == (
        "Parameter 'p' has type complex, which has no SQL counterpart. Use a scalar type (Decimal, UUID, bool, "
        "bytes, date, datetime, dict, float, int, str, time, timedelta), an enum of scalars or a list of scalars, "
        "or make the handler `async def`."
    )


def test_queryset_of() -> None:
    assert queryset_of(lambda p: One(articles.filter(pk=p)), [Param("p", int)]).model is Article
    with pytest.raises(PlanError, match="It returned int, where a QuerySet is needed"):
        queryset_of(lambda: 3)


def test_errors_leave_connections_whole() -> None:
    from django.db import connections

    with pytest.raises(PlanError):
        traced(runs_first)
    assert not {"cursor", "chunked_cursor"} & set(vars(connections["default"]))


def test_literal_results() -> None:
    assert plan_result({"a": [1, None], "b": {"c": "d"}}).response == {"literal": {"a": [1, None], "b": {"c": "d"}}}
