"""Views and serializers for the doctor to look at: each has something."""

from __future__ import annotations

from typing import Any, ClassVar

from catalog.models import Article, Author, Comment
from django.urls import include, path
from rest_framework import filters, generics, routers, serializers, viewsets
from rest_framework.pagination import PageNumberPagination


class Upper(serializers.CharField):
    def to_representation(self, value: Any) -> str:
        return str(value).upper()


class ArticleSerializer(serializers.ModelSerializer[Article]):
    author_name = serializers.CharField(source="author.name", read_only=True)
    words = serializers.SerializerMethodField()
    title = Upper()

    class Meta:
        model = Article
        fields = ("id", "title", "author_name", "words", "price")

    def get_words(self, article: Article) -> int:
        return len(article.body.split())


class CommentSerializer(serializers.ModelSerializer[Comment]):
    class Meta:
        model = Comment
        fields = ("id", "body")

    def to_representation(self, instance: Any) -> Any:
        return {**super().to_representation(instance), "extra": 1}


class BrokenSerializer(serializers.ModelSerializer[Comment]):
    class Meta:
        model = Comment
        fields = ("id", "nothing_like_it")


class Pages(PageNumberPagination):
    page_size = 20


class ArticleViewSet(viewsets.ReadOnlyModelViewSet[Article]):
    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    pagination_class = Pages
    filter_backends: ClassVar = [filters.SearchFilter, filters.OrderingFilter]
    search_fields = ("title", "=slug")
    ordering_fields = ("views", "price")
    filterset_fields: ClassVar = {
        "status": ["exact"],
        "rating": ["gte"],
        "featured": ["exact"],
        "author__name": ["icontains"],
    }


class Authors(generics.ListAPIView[Author]):
    queryset = Author.objects.all()

    def get_serializer_class(self) -> Any:
        return ArticleSerializer


router = routers.SimpleRouter()
router.register("articles", ArticleViewSet)
urlpatterns = [path("api/", include(router.urls)), path("authors", Authors.as_view())]
