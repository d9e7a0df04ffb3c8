"""Pages without a count, and with an estimated one: what they hold, where they end, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from catalog import seeding
from catalog.models import Author
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plectrum import API, LimitOffset, Page, PageNumber
from plectrum.testing import TestClient
from plectrum.views import ModelViewSet

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys() -> list[int]:
    Author.objects.bulk_create(seeding.author(number) for number in range(1, 13))
    return list(Author.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture
def client() -> TestClient:
    api = API()
    api.resource(Author, "/native", page=PageNumber(size=5, count=False), filters=["country"])
    api.resource(Author, "/offset", page=LimitOffset(limit=5, count=False))
    api.resource(Author, "/estimated", page=PageNumber(size=5, count="estimated"), filters=["is_active"])

    @api.get("/queryset")
    async def queryset(page: int = 1) -> Page[Author]:
        return Page(Author.objects.order_by("pk"), number=page, size=5, count=False)

    @api.get("/counted")
    async def counted(page: int = 1) -> Page[Author]:
        return Page(Author.objects.order_by("pk"), number=page, size=5)

    @api.get("/counted-offset")
    async def counted_offset(offset: int = 0) -> Page[Author]:
        return Page(Author.objects.order_by("pk"), offset=offset, limit=5)

    @api.viewset("/set")
    class Authors(ModelViewSet):
        model = Author
        actions = ["list"]
        page = PageNumber(size=5, count=False)

    return TestClient(api)


@pytest.mark.parametrize("path", ["/native", "/offset", "/queryset", "/set"])
def test_all_rows_once_and_no_statement_counts(client: TestClient, keys: list[int], path: str) -> None:
    seen: list[int] = []
    url: str | None = path
    with CaptureQueriesContext(connection) as queries:
        while url:
            page = client.get(url).json()
            assert list(page) == ["results", "next", "previous"]
            seen += [row["id"] for row in page["results"]]
            url = page["next"]
    assert seen == keys
    assert "COUNT(" not in " ".join(query["sql"] for query in queries.captured_queries).upper()


@pytest.mark.parametrize("path", ["/native", "/queryset", "/set"])
def test_the_end(client: TestClient, keys: list[int], path: str) -> None:
    last = client.get(f"{path}?page=3").json()
    assert ([row["id"] for row in last["results"]], last["next"]) == (keys[10:], None)
    assert last["previous"].endswith("page=2")
    assert client.get(f"{path}?page=4").status_code == 404


def test_a_full_last_page_has_no_next(client: TestClient, keys: list[int]) -> None:
    Author.objects.filter(pk__in=keys[10:]).delete()
    assert client.get("/native?page=2").json()["next"] is None
    assert client.get("/native?page=3").status_code == 404


def test_an_empty_list_has_a_first_page(client: TestClient) -> None:
    assert client.get("/native").json() == {"results": [], "next": None, "previous": None}
    assert client.get("/estimated").json() == {"count": 0, "results": [], "next": None, "previous": None}


def test_one_queryset_paged_in_several_ways(client: TestClient, keys: list[int]) -> None:
    """Plans are kept by the queryset's shape and the page's."""
    for _ in range(2):
        assert client.get("/counted?page=2").json()["previous"].endswith("/counted")
        assert client.get("/counted-offset?offset=5").json()["previous"].endswith("/counted-offset?limit=5")
        assert "count" not in client.get("/queryset?page=2").json()
        assert client.get("/counted").json()["count"] == len(keys)


@pytest.mark.postgresql
def test_an_estimate_is_postgresql_s_own(client: TestClient, keys: list[int]) -> None:
    assert client.get("/estimated").json()["count"] == len(keys)  # never analyzed: counted
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_author")
    Author.objects.filter(pk=keys[-1]).delete()
    page = client.get("/estimated?page=3").json()
    assert (page["count"], [row["id"] for row in page["results"]], page["next"]) == (12, keys[10:11], None)
    active = client.get("/estimated?is_active=true").json()
    assert active["count"] == Author.objects.filter(is_active=True).count()


def test_openapi_says_so(client: TestClient) -> None:
    document: Any = client.get("/openapi.json").json()

    def shown(path: str) -> list[str]:
        content = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        return list(document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["properties"])

    assert shown("/native") == shown("/set") == ["results", "next", "previous"]
    assert shown("/estimated") == ["count", "next", "previous", "results"]


def test_what_is_no_count() -> None:
    from plectrum.errors import PlanError

    with pytest.raises(PlanError, match=r"Page\(count='some'\): count= is True, False or 'estimated'"):
        Page(Author.objects.all(), number=1, size=5, count="some")  # type: ignore[arg-type]
