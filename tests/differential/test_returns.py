"""Return annotations choose fields and nesting, whatever they are made with; DRF's serializer lists the same ones."""

import dataclasses
import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Any, TypedDict

import msgspec
import pydantic
import pytest
from rest_framework import serializers

from plectrum import Field, Schema
from plectrum.orm import One
from tests.zoo.models import Author, Book, Country, Label, Publisher

from .library import fill
from .ways import Ways, assert_same, exact, reference, serializer_of


@dataclasses.dataclass
class CountryOut:
    id: uuid.UUID
    name: str


class AuthorOut(TypedDict):
    name: str
    born_in: CountryOut | None
    born_at: dt.datetime | None


class LabelOut(msgspec.Struct, rename={"slug": "key"}):
    slug: str


class PublisherOut(pydantic.BaseModel):
    code: str
    number: Annotated[Decimal, pydantic.Field(serialization_alias="no")]


class BookOut(Schema):
    id: int
    title: str
    price: Decimal = Field(alias="cost")
    author: AuthorOut
    editor: AuthorOut | None
    publisher: PublisherOut | None
    country: uuid.UUID | None
    country_id: uuid.UUID | None
    sequel_to: int | None
    labels: list[LabelOut]
    contributors: list[int]
    sequels: list[int]


def _serializer(of: Any, *names: str, **declared: Any) -> Any:
    serializer = serializer_of(of, **declared)
    serializer.Meta.fields = [*names, *declared]  # type: ignore[attr-defined]
    return serializer


COUNTRY = _serializer(Country, "id", "name")
AUTHOR = _serializer(Author, "name", "born_at", born_in=COUNTRY(allow_null=True))
LABEL = _serializer(Label, key=serializers.CharField(source="slug"))
PUBLISHER = _serializer(
    Publisher, "code", no=serializers.DecimalField(source="number", max_digits=12, decimal_places=2)
)
BOOK = _serializer(
    Book,
    "id",
    "title",
    "country",
    "sequel_to",
    "contributors",
    cost=serializers.DecimalField(source="price", max_digits=8, decimal_places=2),
    author=AUTHOR(),
    editor=AUTHOR(allow_null=True),
    publisher=PUBLISHER(allow_null=True),
    country_id=serializers.UUIDField(allow_null=True),
    labels=LABEL(many=True),
    sequels=serializers.PrimaryKeyRelatedField(many=True, read_only=True),
)
CASES = {
    CountryOut: (Country, COUNTRY),
    AuthorOut: (Author, AUTHOR),
    LabelOut: (Label, LABEL),
    PublisherOut: (Publisher, PUBLISHER),
    BookOut: (Book, BOOK),
    Book: (Book, serializer_of(Book)),
}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_returns(alias: str, subtests: Any) -> None:
    fill(alias)
    for annotation, (model, serializer) in CASES.items():
        rows = model._default_manager.using(alias)
        with subtests.test(annotation.__name__), Ways(rows.all, alias, list[annotation]) as ways:
            assert_same(ways.answer(), reference(rows.all(), serializer))


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_one(alias: str, subtests: Any) -> None:
    fill(alias)
    for annotation, (model, serializer) in CASES.items():
        last = model._default_manager.using(alias).order_by("-pk")[:1]
        rows = model._default_manager.using(alias).filter(pk=last[0].pk)
        with subtests.test(annotation.__name__), Ways(lambda rows=rows: One(rows.all()), alias, annotation) as ways:
            assert [exact(ways.answer())] == exact(reference(rows.all(), serializer))
