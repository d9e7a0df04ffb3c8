"""User code as users write it; mypy and pyright check it strictly, nothing runs it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, assert_type

from catalog.models import Article, Author
from django.db.models import QuerySet

from plectrum import API, Field, NotFound, One, Page, PageNumber, Query, Router, Schema
from plectrum.testing import TestClient, TestResponse

api = API(prefix="/api", title="Typed")


class Person(Schema):
    name: Annotated[str, Field(max_length=100)]
    born: datetime.date | None = None
    tags: list[str] = Field(default_factory=list)


@api.get("/people/{id}")
async def person(id: int, full: Annotated[bool, Query()] = False) -> Person:
    if not full:
        raise NotFound(f"There is no person {id}.")
    return Person(name="Ada")


# A decorated handler keeps its own type.
_handler: Callable[[int, bool], Coroutine[Any, Any, Person]] = person


@api.query.get("/authors/{author_id}/articles", filters=["status"], page=PageNumber(size=20))
def articles(author_id: int) -> QuerySet[Article]:
    return Article.objects.filter(author_id=author_id)


assert_type(articles(1), QuerySet[Article])


@api.get("/articles")
async def page(number: int = 1) -> Page[Article]:
    return Page(Article.objects.all(), number=number, size=20)


@api.get("/articles/latest")
async def latest() -> One[Article]:
    return One(Article.objects.order_by("-created_at")[:1])


router = Router("/v2", tags=["v2"])


@router.post("/people", status=201)
async def add(person: Person) -> dict[str, str]:
    return {"name": person.name}


api.include(router)
api.resource(Author, filters=["country"], search=["name"])

ada = Person(name="Ada", tags=["maths"])
assert_type(ada.name, str)
assert_type(ada.born, datetime.date | None)
assert_type(ada.tags, list[str])

with TestClient(api, headers={"accept": "application/json"}) as client:
    answer = client.get("/api/people/1", params={"full": True})
    assert_type(answer, TestResponse)
    assert_type(answer.status_code, int)
    assert_type(answer.text, str)
