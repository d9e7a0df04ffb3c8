"""None."""

urlpatterns: list[object] = []
