"""What is remembered of tokens."""

from __future__ import annotations

from django.db import models


class RevokedToken(models.Model):
    """A refresh token that has been used, or a family of them that was logged out."""

    name = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
