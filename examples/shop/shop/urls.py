"""Django's own views; the API does not pass through here."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView, TemplateView

urlpatterns = [
    path("", RedirectView.as_view(url="/docs")),
    path("admin/", admin.site.urls),
    path("backoffice/", include("backoffice.urls")),
    path("login/", LoginView.as_view(template_name="accounts/login.html"), name="login"),
    path("live/", TemplateView.as_view(template_name="stock/live.html"), name="live"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
