"""How many there are."""

from __future__ import annotations

from catalog.models import Article
from django.db import models


class Level(models.Model):
    """How many printed copies of an article the shop has. The database itself refuses to count below zero."""

    article = models.OneToOneField(Article, models.CASCADE, related_name="stock")
    available = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(available__gte=0), name="stock_not_negative")]

    def __str__(self) -> str:
        return f"{self.available} x {self.article_id}"
