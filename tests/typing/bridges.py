"""The bridges for FastAPI and DRF as users write them."""

from __future__ import annotations

from typing import assert_type

from catalog.models import Article, Author
from fastapi import FastAPI
from rest_framework import generics, serializers

from plectrum.drf import (
    Decision,
    RustJSONRenderer,
    RustListModelMixin,
    RustSerializerMixin,
    Stats,
    count_fields,
    explain,
)
from plectrum.fastapi import FastAPIModel, PlectrumResponse, PlectrumRoute
from plectrum.schema import Schema


class Person(Schema):
    name: str


app = FastAPI(default_response_class=PlectrumResponse)
app.router.route_class = PlectrumRoute
AuthorOut = FastAPIModel(Author, fields=["id", "name"])


@app.post("/people", response_model=Person)
async def add(person: Person) -> Person:
    assert_type(person.name, str)
    return person


@app.get("/authors", response_model=list[AuthorOut])  # type: ignore[valid-type]
async def authors() -> list[Author]:
    return []


assert_type(PlectrumResponse({"a": 1}).render(1), bytes)


class ArticleOut(RustSerializerMixin, serializers.ModelSerializer[Article]):
    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride] - as the stubs of DRF have it
        model = Article
        fields = ("id", "title")


class Articles(RustListModelMixin, generics.ListAPIView[Article]):
    queryset = Article.objects.all()
    serializer_class = ArticleOut
    renderer_classes = [RustJSONRenderer]


assert_type(explain(ArticleOut).fields[0].output, Decision)
with count_fields() as stats:
    assert_type(stats, Stats)
    assert_type(stats.saved_ms, float)
