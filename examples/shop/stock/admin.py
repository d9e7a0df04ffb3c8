from django.contrib import admin

from stock.models import Level


@admin.register(Level)
class LevelAdmin(admin.ModelAdmin):
    list_display = ["article", "available"]
    list_select_related = ["article"]
    list_editable = ["available"]
    raw_id_fields = ["article"]
    search_fields = ["article__title"]
