"""The shop's API: every way Plectrum answers a request, on one page."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from catalog.models import Article, Author, Category, Comment, Tag
from django.db.models import Avg, Count, QuerySet

from plectrum import API, Field, NotFound, One, PageNumber, Query, Schema
from plectrum.graphql import GraphQL

api = API(prefix="/api", title="Shop", version="1.0.0", description="Articles to read, and who wrote them.")

# Native: planned once at start-up, answered by Rust alone. ─────────────────────────────────────────────────────────

api.resource(
    Article,
    filters=["status", "author_id", "category_id", "featured", "price__lte", "views__gte", "tags__slug"],
    ordering=["created_at", "price", "views"],
    search=["title", "body"],
    page=PageNumber(size=20),
)
api.resource(Author, filters=["country", "is_active"], search=["name"], ordering=["name", "joined_at"])


@api.query.get("/authors/{author_id}/articles", ordering=["created_at", "views"], page=PageNumber(size=20))
def articles_of_author(author_id: int) -> QuerySet[Article]:
    """Live articles of an author, newest first."""
    return Article.objects.filter(author_id=author_id, status=Article.Status.LIVE).order_by("-created_at")


@api.query.get("/articles/{slug}/full")
def full_article(slug: str) -> One[Article]:
    """An article with its author, category, tags and comments: four statements, whatever their number."""
    rows = Article.objects.select_related("author", "category").prefetch_related("tags", "comments")
    return One(rows.filter(slug=slug))


@api.query.get("/categories")
def categories() -> QuerySet[Category]:
    """The tree of categories, two levels."""
    return Category.objects.filter(parent=None).prefetch_related("children")


@api.query.get("/authors/best")
def best_authors(articles: Annotated[int, Query(ge=1)] = 50) -> QuerySet[Author, Any]:
    """Authors with at least so many articles, the best rated first."""
    counted = Author.objects.annotate(written=Count("articles"), rating=Avg("articles__rating"))
    return counted.filter(written__gte=articles).order_by("-rating", "id").values("id", "name", "written", "rating")


# Queryset: Python decides per request what to ask, Rust asks and answers. ──────────────────────────────────────────


@api.get("/articles/popular")
async def popular(
    country: Author.Country | None = None, n: Annotated[int, Query(ge=1, le=100)] = 10
) -> QuerySet[Article]:
    """The most viewed live articles, of one country if wanted."""
    rows = Article.objects.filter(status=Article.Status.LIVE)
    if country is not None:
        rows = rows.filter(author__country=country)
    return rows.select_related("author").order_by("-views")[:n]


# Object: anything else a handler returns. ──────────────────────────────────────────────────────────────────────────


#: PostgreSQL's text holds every character but NUL.
STORABLE = r"^[^\x00]*$"


class Draft(Schema):
    """A new comment, as readers send it."""

    article_id: int
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=STORABLE)]
    body: Annotated[str, Field(min_length=1, pattern=STORABLE)]
    stars: Annotated[int, Field(ge=1, le=5)] | None = None


@dataclasses.dataclass
class Created:
    """Where the new comment is."""

    id: int
    article_id: int


@api.get("/hello")
async def hello(name: str = "World") -> dict[str, str]:
    """Greets."""
    return {"message": f"Hello, {name}!"}


@api.post("/comments", status=201)
async def comment(draft: Draft) -> Created:
    """Adds a comment; it is shown once somebody has approved it."""
    from django.utils import timezone

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


# GraphQL over the same models. ─────────────────────────────────────────────────────────────────────────────────────

api.graphql("/graphql", GraphQL(models=[Article, Author, Category, Comment, Tag], introspection=True, page=True))

# The rest of the site: the admin, and Django's other views. ────────────────────────────────────────────────────────

api.mount_django()
