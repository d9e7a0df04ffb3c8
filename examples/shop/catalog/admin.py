from django.contrib import admin

from catalog.models import Article, Author, Category, Comment, Tag


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "status", "price", "views", "created_at"]
    list_filter = ["status", "featured"]
    list_select_related = ["author"]
    raw_id_fields = ["author", "category"]
    search_fields = ["title", "slug"]


admin.site.register([Author, Category, Tag])


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    list_display = ["name", "stars", "approved", "created_at"]
    raw_id_fields = ["article"]
