"""Pictures of articles."""

from __future__ import annotations

from catalog.models import Article
from django.db import models


class Picture(models.Model):
    """A picture of an article, stored as it was sent."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="pictures")
    image = models.FileField(upload_to="pictures/")
    caption = models.CharField(max_length=80, blank=True)
    size = models.PositiveIntegerField()
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.caption or f"Picture {self.pk}"
