from django.contrib import admin

from orders.models import Order, OrderLine


class LineInline(admin.TabularInline):
    model = OrderLine
    extra = 0
    raw_id_fields = ["article"]


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["id", "customer", "status", "total", "placed_at"]
    list_filter = ["status"]
    list_select_related = ["customer"]
    inlines = [LineInline]
