from django.contrib import admin

from pictures.models import Picture


@admin.register(Picture)
class PictureAdmin(admin.ModelAdmin):
    list_display = ["article", "caption", "size", "added_at"]
    list_select_related = ["article"]
    raw_id_fields = ["article"]
