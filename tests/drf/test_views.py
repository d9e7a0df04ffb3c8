"""List views under `RustJSONRenderer`: DRF's responses, whoever looks at them."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import pytest
from catalog.models import Article, Author
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rest_framework import exceptions, generics, mixins, pagination, viewsets
from rest_framework import serializers as s
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIRequestFactory
from rest_framework.utils.serializer_helpers import ReturnList

from plectrum.drf import RustJSONRenderer, RustListModelMixin, installed
from plectrum.drf.views import WrittenResponse
from tests.drf.compare import typed
from tests.orm.drf import serializer
from tests.project import models

pytestmark = pytest.mark.django_db

AUTHOR = serializer(Author, ["id", "name", "joined_at", "born"])
ID = serializer(Author, ["id"])


class Plain(generics.ListAPIView[Any]):
    queryset = Author.objects.all()
    serializer_class = AUTHOR
    renderer_classes = (RustJSONRenderer,)


class Written(RustListModelMixin, generics.GenericAPIView[Any]):
    queryset = Author.objects.all()
    serializer_class = AUTHOR
    renderer_classes = (RustJSONRenderer,)

    def get(self, request: Any) -> Any:
        return self.list(request)


@pytest.fixture(autouse=True)
def authors() -> None:
    for name in ("Ada", "“Q”"):
        Author.objects.create(name=name, email=f"{name}@x.org", joined_at=dt.datetime(2026, 7, 1, tzinfo=dt.UTC))


def get(view: Any, query: str = "", **options: Any) -> Any:
    response = view.as_view(**options)(APIRequestFactory().get(f"/{query}"))
    response.render()
    return response


def same(view: Any = Plain, query: str = "", **options: Any) -> Any:
    """Asserts DRF's response under the switch; gives ours."""
    expected = get(view, query, **options)
    with installed():
        found = get(view, query, **options)
    assert (found.status_code, dict(found.items()), found.content) == (
        expected.status_code, dict(expected.items()), expected.content,
    )  # fmt: skip
    assert typed(found.data) == typed(expected.data)
    return found


def test_a_list_is_written_without_its_data() -> None:
    with CaptureQueriesContext(connections["default"]) as captured:
        response = get(Written)
        assert type(response) is WrittenResponse
        assert response.content == get(Plain).content
        assert isinstance(response.data, ReturnList)
        assert type(response.data.serializer.child) is AUTHOR
        assert typed(response.data) == typed(get(Plain).data)
    assert len(captured) == 3
    assert response["Content-Type"] == "application/json"
    assert type(same()) is WrittenResponse


def test_filters_and_empty_lists() -> None:
    same(queryset=Author.objects.filter(name="Ada"))
    same(queryset=Author.objects.none())


def test_what_is_changed_before_it_is_rendered() -> None:
    response = Written.as_view()(APIRequestFactory().get("/"))
    response.data.append("more")
    assert response.render().content.endswith(b',"more"]')
    response = Written.as_view()(APIRequestFactory().get("/"))
    response.data = {"other": 1}
    assert response.render().content == b'{"other":1}'


def test_it_can_be_cached() -> None:
    response = get(Written)
    again = pickle.loads(pickle.dumps(response))
    assert again.content == response.content
    assert again.data == list(response.data)


class _Shouting(RustJSONRenderer):
    def render(self, data: Any, *rest: Any, **options: Any) -> bytes:
        return super().render({"rows": data}, *rest, **options)


class _Failing(s.ModelSerializer[Author]):
    name = s.SerializerMethodField()

    class Meta:
        model = Author
        fields = ("name",)

    def get_name(self, author: Author) -> str:
        raise exceptions.PermissionDenied("not you")


class _Page(pagination.PageNumberPagination):
    page_size = 1


def test_everything_else_is_drfs() -> None:
    for renderer in (JSONRenderer, _Shouting):
        assert type(same(renderer_classes=[renderer])) is not WrittenResponse
    assert type(same(serializer_class=_Failing)) is not WrittenResponse
    assert type(same(pagination_class=_Page, query="?page=2")) is not WrittenResponse
    assert (
        type(same(queryset=Author.objects.values("id"), serializer_class=serializer(Author, ["id"]))).__name__
        == "Response"
    )


def test_related_uuids_are_uuids() -> None:
    key = models.UuidKey.objects.create(name="u")
    row = models.Related.objects.create(uuid=key)
    row.several.add(key)
    for shown in (["uuid"], ["several"]):
        options: dict[str, Any] = {"serializer_class": serializer(models.Related, shown)}
        rows = models.Related.objects.prefetch_related("several")
        assert type(same(queryset=rows, **options)) is not WrittenResponse
    assert (
        type(same(queryset=models.UuidKey.objects.all(), serializer_class=serializer(models.UuidKey)))
        is WrittenResponse
    )


def test_viewsets_and_lists_of_ones_own() -> None:
    class Rows(viewsets.ReadOnlyModelViewSet[Any]):
        queryset = Article.objects.all()
        serializer_class = serializer(Article, ["id", "title"])
        renderer_classes = (RustJSONRenderer,)

    class Wrapped(Plain):
        def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            response = super().list(request, *args, **kwargs)
            response.data = {"rows": response.data}
            return response

    assert mixins.ListModelMixin.list is not RustListModelMixin.list
    with installed():
        response = Rows.as_view({"get": "list"})(APIRequestFactory().get("/"))
    assert response.render().content == b"[]"
    same(Wrapped)
