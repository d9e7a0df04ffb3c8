"""What there is to buy: articles, authors, categories, and what readers say."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from django.db.models import Avg, Count, QuerySet
from django.utils import timezone
from shop.fields import Line, Prose

from catalog.models import Article, Author, Category, Comment
from plectrum import CursorPage, Field, NotFound, One, PageNumber, Query, Router, Schema

router = Router()

# Native: planned once at start-up, answered by Rust alone. ─────────────────────────────────────────────────────────

router.resource(
    Article,
    filters=["status", "author_id", "category_id", "featured", "price__lte", "views__gte", "tags__slug"],
    ordering=["created_at", "price", "views"],
    search=["title", "body"],
    page=PageNumber(size=20),
)
router.resource(Author, filters=["country", "is_active"], search=["name"], ordering=["name", "joined_at"])


@router.query.get("/authors/{author_id}/articles", ordering=["created_at", "views"], page=PageNumber(size=20))
def articles_of_author(author_id: int) -> QuerySet[Article]:
    """Live articles of an author, newest first."""
    return Article.objects.filter(author_id=author_id, status=Article.Status.LIVE).order_by("-created_at")


@router.query.get("/articles/{slug}/full")
def full_article(slug: str) -> One[Article]:
    """An article with its author, category, tags and comments: four statements, whatever their number."""
    rows = Article.objects.select_related("author", "category").prefetch_related("tags", "comments")
    return One(rows.filter(slug=slug))


@router.query.get("/articles/{slug}/comments", page=CursorPage(size=20))
def comments(slug: str) -> QuerySet[Comment, Any]:
    """What readers say, once somebody has approved it; the newest first."""
    approved = Comment.objects.filter(article__slug=slug, approved=True).order_by("-created_at")
    return approved.values("id", "name", "body", "stars", "created_at")


@router.query.get("/categories")
def categories() -> QuerySet[Category]:
    """The tree of categories, two levels."""
    return Category.objects.filter(parent=None).prefetch_related("children")


@router.query.get("/authors/best")
def best_authors(articles: Annotated[int, Query(ge=1)] = 50) -> QuerySet[Author, Any]:
    """Authors with at least so many articles, the best rated first."""
    counted = Author.objects.annotate(written=Count("articles"), rating=Avg("articles__rating"))
    return counted.filter(written__gte=articles).order_by("-rating", "id").values("id", "name", "written", "rating")


# Queryset: Python decides per request what to ask, Rust asks and answers. ──────────────────────────────────────────


@router.get("/articles/popular")
async def popular(
    country: Author.Country | None = None, n: Annotated[int, Query(ge=1, le=100)] = 10
) -> QuerySet[Article]:
    """The most viewed live articles, of one country if wanted."""
    rows = Article.objects.filter(status=Article.Status.LIVE)
    if country is not None:
        rows = rows.filter(author__country=country)
    return rows.select_related("author").order_by("-views")[:n]


# Object: anything else a handler returns. ──────────────────────────────────────────────────────────────────────────


class Draft(Schema):
    """A new comment, as readers send it."""

    article_id: int
    name: Line
    body: Prose
    stars: Annotated[int, Field(ge=1, le=5)] | None = None


@dataclasses.dataclass
class Created:
    """Where the new comment is."""

    id: int
    article_id: int


@router.get("/hello")
async def hello(name: str = "World") -> dict[str, str]:
    """Greets."""
    return {"message": f"Hello, {name}!"}


@router.post("/comments", status=201, responses=[NotFound])
async def comment(draft: Draft) -> Created:
    """Adds a comment; it is shown once somebody has approved it."""
    if not await Article.objects.filter(pk=draft.article_id).aexists():
        raise NotFound(f"There is no article {draft.article_id}.")
    made = await Comment.objects.acreate(
        article_id=draft.article_id,
        name=draft.name,
        body=draft.body,
        stars=draft.stars,
        approved=False,
        created_at=timezone.now(),
    )
    return Created(id=made.pk, article_id=draft.article_id)
