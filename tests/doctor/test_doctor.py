"""The doctor's findings on a project where each is known, and how they are shown."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from catalog import seeding
from catalog.models import Article, Author, Category
from django.core.management import CommandError, call_command

from plectrum.doctor import Issue, Report, SerializerReport, examine
from plectrum.doctor.indexes import missing
from plectrum.doctor.report import FieldReport, Measured, RouteReport
from plectrum.doctor.table import write
from tests.doctor import project

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.doctor.project")]


@pytest.fixture
def articles(db: None) -> None:
    authors = Author.objects.bulk_create(seeding.author(number) for number in range(1, 4))
    category = Category.objects.create(name="All", slug="all")
    keys = [author.pk for author in authors]
    Article.objects.bulk_create(seeding.article(number, keys, [category.pk]) for number in range(1, 11))


def look(**options: Any) -> Report:
    report = examine(**options)
    report.serializers = [found for found in report.serializers if found.name.startswith(project.__name__)]
    return report


def of(report: Report, kind: str) -> list[Issue]:
    return [issue for issue in report.issues if issue.kind == kind]


def test_fields_are_told_apart() -> None:
    broken, article, comment = look().serializers[1], look().serializers[0], look().serializers[2]
    assert [found.name.rpartition(".")[2] for found in (article, broken, comment)] == [
        "ArticleSerializer",
        "BrokenSerializer",
        "CommentSerializer",
    ]
    assert {field.name: field.output for field in article.fields} == {
        "id": "rust",
        "title": "python",
        "author_name": "rust",
        "words": "python",
        "price": "rust",
    }
    assert all(field.reason for field in article.fields if field.output == "python")
    assert article.count("output") == (3, 5)
    assert "nothing_like_it" in broken.error
    assert comment.obstacle
    assert comment.count("output") == (0, 2)


def test_views_are_found_through_routers_and_the_urlconf() -> None:
    report = look()
    assert [(view.path, view.name.rpartition(".")[2]) for view in report.views] == [
        ("/api/^articles/$", "ArticleViewSet"),
        ("/authors", "Authors"),
    ]
    assert report.views[0].serializer == "tests.doctor.project.ArticleSerializer"
    assert report.views[1].serializer is None
    [unpaged] = of(report, "list")
    assert unpaged.where.endswith("Authors")


@pytest.mark.postgresql
def test_missing_indexes_of_a_view() -> None:
    told = [(issue.message, issue.fix) for issue in of(look(), "index")]
    assert [message for message, _ in told] == [
        "search 'title' compares catalog.Article.title by icontains, which an ordinary index does not serve",
        "ordering 'price' reads all rows of catalog.Article: no index begins with 'price'",
        "filter 'rating__gte' reads all rows of catalog.Article: no index begins with 'rating'",
        "filter 'author__name' compares catalog.Author.name by icontains, which an ordinary index does not serve",
    ]
    assert told[1][1] == 'Article.Meta.indexes: models.Index(fields=["price"])'
    assert 'GinIndex(OpClass(Upper("title"), "gin_trgm_ops")' in told[0][1]


def test_indexes_of_every_kind_are_seen() -> None:
    lookups = ["id", "uid", "slug", "author", "author_id", "status", "-status", "views", "featured", "?", "tags__slug"]
    assert list(missing(Article, lookups, "filter", "x")) == []
    assert len(list(missing(Article, ["created_at"], "ordering", "x"))) == 1  # second in its indexes
    assert list(missing(Article, ["created_at"], "ordering", "x", {"author"})) == []
    assert list(missing(Article, ["created_at__month", "annotated"], "filter", "x")) == []


def test_settings() -> None:
    told = {issue.where for issue in of(look(), "setting")}
    assert {"security.W009", "PLECTRUM['DRF']", "REST_FRAMEWORK['DEFAULT_PERMISSION_CLASSES']"} <= told


@pytest.mark.usefixtures("articles")
def test_measuring_finds_times_and_loads_and_changes_nothing() -> None:
    report = look(measure=True)
    article = report.serializers[0]
    assert article.measured is not None
    assert article.measured.rows == 10
    assert article.measured.python_us > 0 < article.measured.rust_us
    [found] = [issue for issue in of(report, "n+1") if issue.where.endswith("ArticleViewSet")]
    assert found.severity == "error"
    assert found.message == "ArticleSerializer.author_name loads catalog.Article.author row by row"
    assert found.fix == 'queryset = Article.objects.select_related("author")'
    assert Article.objects.count() == 10


def test_one_application_only() -> None:
    assert examine("catalog").serializers == []
    with pytest.raises(CommandError, match="--app: No installed app with label 'nope'"):
        call_command("plectrum", "doctor", "--app", "nope")


def test_json_is_stable() -> None:
    out = io.StringIO()
    call_command("plectrum", "doctor", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert list(told) == ["format", "share", "serializers", "views", "routes", "issues"]
    assert told["format"] == 1
    article = next(found for found in told["serializers"] if found["name"] == "tests.doctor.project.ArticleSerializer")
    assert list(article) == ["name", "fields", "obstacle", "measured", "error"]
    assert list(article["fields"][0]) == ["name", "kind", "output", "input", "reason", "remedy"]
    assert all(list(issue) == ["kind", "severity", "where", "message", "fix"] for issue in told["issues"])


def test_the_threshold_decides_the_status() -> None:
    field = FieldReport("a", "CharField", "rust", "rust")
    other = FieldReport("b", "CharField", "python", "rust")
    report = Report(serializers=[SerializerReport("a.B", (field, other))])
    assert report.share == 50
    assert [report.fails(limit) for limit in (None, 50, 50.1)] == [False, False, True]
    report.issues.append(Issue("n+1", "error", "x", "y"))
    assert [report.fails(limit) for limit in (None, 50)] == [False, True]
    with pytest.raises(SystemExit, match="1"):
        call_command("plectrum", "doctor", "--threshold", "99.9", stdout=io.StringIO())


def shown(width: int, monkeypatch: pytest.MonkeyPatch, **environ: str) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    field = FieldReport("words", "X", "python", "unused", "its value is made by your get_words", "declare a field")
    report = Report(
        serializers=[SerializerReport("shop.articles.serializers.ArticleSerializer", (field,), "", Measured(9, 30, 3))],
        routes=[RouteReport("a_route_with_a_name", "GET", "/api/articles/{slug}/with/a/long/path", "native")],
        issues=[Issue("index", "warning", "GET /x", "reads " + "all " * 30 + "rows", "an index")],
    )
    out = io.StringIO()
    write(report, out)
    return out.getvalue()


def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 80, 120):
        text = shown(width, monkeypatch)
        assert "\x1b" not in text
        lines = [line for line in text.splitlines() if "µs per row" not in line]
        assert max(len(line) for line in lines) <= width
    assert "30.0 → 3.0 µs per row, 10.0 times (9 rows)" in text


def test_colours_are_a_matter_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = shown(80, monkeypatch, FORCE_COLOR="1")
    assert "\x1b[31m0/1\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == shown(80, monkeypatch, NO_COLOR="1")
