"""`manage.py people`: somebody to log in as."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Make a customer (ada) and an administrator (admin), both with the password `demo-demo`. For demos only."

    def handle(self, **options: Any) -> None:
        if not User.objects.filter(username="ada").exists():
            User.objects.create_user("ada", "ada@example.com", "demo-demo")
        if not User.objects.filter(username="admin").exists():
            User.objects.create_superuser("admin", "admin@example.com", "demo-demo")
