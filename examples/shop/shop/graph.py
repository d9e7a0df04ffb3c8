"""GraphQL over the shop's models, with a mutation of its own and the stock's changes to subscribe to."""

from __future__ import annotations

from catalog.api import Created, Draft, comment
from catalog.models import Article, Author, Category, Comment, Tag
from django.db import connection
from stock.models import Level

from plectrum.graphql import GraphQL, Type

graph = GraphQL(
    models=[
        Article,
        Author,
        Category,
        Type(Comment, rows=lambda comments, viewer: comments.filter(approved=True)),
        Tag,
        Type(Level, changes=connection.vendor == "postgresql"),  # where changes can be listened to
    ],
    introspection=True,
    page=True,
)


@graph.mutation
async def add_comment(draft: Draft) -> Created:
    """Adds a comment; it is shown once somebody has approved it."""
    return await comment(draft)
