"""Records of the back office, as Django REST framework's serializers."""

from __future__ import annotations

from typing import Any

from catalog.models import Article, Author, Category, Comment
from rest_framework import serializers


class AuthorRow(serializers.ModelSerializer[Author]):
    """An author, in short."""

    class Meta:
        model = Author
        fields = ("id", "name", "country")


class CategoryRow(serializers.ModelSerializer[Category]):
    """A category and the one above it."""

    class Meta:
        model = Category
        fields = ("id", "name", "parent")


class ArticleRow(serializers.ModelSerializer[Article]):
    """A row of the list of articles."""

    author = AuthorRow(read_only=True)
    category = CategoryRow(read_only=True)

    class Meta:
        model = Article
        fields = ("id", "title", "status", "price", "views", "author", "category", "tags", "created_at")


class CommentForm(serializers.ModelSerializer[Comment]):
    """A comment as moderators edit it."""

    excerpt = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ("id", "article", "name", "email", "body", "excerpt", "stars", "approved", "created_at")

    def get_excerpt(self, comment: Comment) -> str:
        """The first words."""
        return comment.body[:40]

    def validate_stars(self, value: Any) -> Any:
        """One to five."""
        if value is not None and not 1 <= value <= 5:
            raise serializers.ValidationError("Stars go from 1 to 5.")
        return value
