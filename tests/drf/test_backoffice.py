"""The shop's Django REST framework views, on DRF alone and with everything taken over."""

from __future__ import annotations

from typing import Any

import pytest
from catalog import seeding
from catalog.models import Article, Author, Category, Comment, Tag
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from plectrum.drf import RustJSONRenderer, explain, installed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rows")]


@pytest.fixture
def rows() -> None:
    authors = Author.objects.bulk_create(seeding.author(number) for number in range(1, 4))
    category = Category.objects.create(name="root", slug="root")
    tags = Tag.objects.bulk_create(seeding.tags())
    keys = [author.pk for author in authors]
    articles = Article.objects.bulk_create(seeding.article(number, keys, [category.pk]) for number in range(1, 31))
    for number, article in enumerate(articles, 1):
        article.tags.set(tags[: number % 4])
        Comment.objects.bulk_create(seeding.comments(number, article.pk))


def both(monkeypatch: pytest.MonkeyPatch, ask: Any) -> Any:
    """Asserts that DRF's response and ours are the same; gives it, and the number of statements each took."""
    from backoffice import views

    found = []
    for renderers, fast in ((None, False), ((RustJSONRenderer,), True)):
        for view in (views.ArticleViewSet, views.CommentViewSet):
            if renderers:
                monkeypatch.setattr(view, "renderer_classes", renderers)
        with override_settings(ROOT_URLCONF="backoffice.urls"), CaptureQueriesContext(connection) as captured:
            if fast:
                with installed():
                    response = ask(APIClient())
            else:
                response = ask(APIClient())
        found.append((response.status_code, response.content, response.data, len(captured)))
    assert found[0][:3] == found[1][:3]
    assert found[1][3] <= found[0][3]
    return found[1]


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    status, content, data, statements = both(monkeypatch, lambda client: client.get("/articles/"))
    assert (status, len(data), statements) == (200, 30, 2)
    assert content.startswith(b'[{"id":')
    status, _, data, _ = both(monkeypatch, lambda client: client.get("/comments/?page=2"))
    assert (status, len(data["results"])) == (200, 20)


def test_one(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Article.objects.earliest("id").pk
    assert both(monkeypatch, lambda client: client.get(f"/articles/{key}/"))[2]["id"] == key
    assert both(monkeypatch, lambda client: client.get("/articles/0/"))[0] == 404


def test_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    comment = Comment.objects.earliest("id")
    staff = get_user_model().objects.create_superuser("staff", "s@x.org", "x")

    def patch(client: APIClient, **data: Any) -> Any:
        client.force_authenticate(staff)
        return client.patch(f"/comments/{comment.pk}/", data, format="json")

    assert both(monkeypatch, lambda client: client.patch(f"/comments/{comment.pk}/", {}, format="json"))[0] == 403
    assert both(monkeypatch, lambda client: patch(client, stars=9, email="no"))[2].keys() == {"stars", "email"}
    assert both(monkeypatch, lambda client: patch(client, stars=5))[2]["stars"] == 5


def test_what_is_taken_over() -> None:
    from backoffice.serializers import ArticleRow, CommentForm

    assert {field.name for field in explain(ArticleRow).fields if field.output.way != "rust"} == set()
    assert {field.name for field in explain(CommentForm).fields if field.output.way != "rust"} == {"excerpt"}
