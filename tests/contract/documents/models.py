from __future__ import annotations

from django.db import models


class Document(models.Model):
    title = models.CharField(max_length=100)
    file = models.FileField(upload_to="documents/")
    written = models.DateField(null=True, blank=True)

    class Meta:
        app_label = "documents"

    def __str__(self) -> str:
        return self.title
