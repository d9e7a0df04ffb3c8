"""Views of the back office, as Django REST framework's."""

from __future__ import annotations

from typing import Any

from catalog.models import Article, Comment
from rest_framework import authentication, pagination, permissions, viewsets
from rest_framework.request import Request
from rest_framework.views import APIView

from .serializers import ArticleRow, CommentForm


class ArticleViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Articles, newest first."""

    queryset = (
        Article.objects.select_related("author", "category").prefetch_related("tags").order_by("-created_at", "id")
    )
    serializer_class = ArticleRow


class StaffWrites(permissions.BasePermission):
    """Everybody reads."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """See ``rest_framework.permissions.BasePermission.has_permission``."""
        return request.method in permissions.SAFE_METHODS or bool(request.user and request.user.is_staff)


class CommentPages(pagination.PageNumberPagination):
    """Twenty comments at a time."""

    page_size = 20


class CommentViewSet(viewsets.ModelViewSet[Any]):
    """Comments, to be read by all and edited by the staff."""

    queryset = Comment.objects.order_by("-created_at", "id")
    serializer_class = CommentForm
    pagination_class = CommentPages
    authentication_classes = (authentication.SessionAuthentication,)
    permission_classes = (StaffWrites,)
