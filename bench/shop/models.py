"""The peers' tables, which they have made already."""

from __future__ import annotations

import uuid

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()

    class Meta:
        db_table = "author"


class Article(models.Model):
    uid = models.UUIDField(default=uuid.uuid4)
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200)
    body = models.TextField()
    status = models.CharField(max_length=20)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    rating = models.FloatField(null=True)
    views = models.PositiveIntegerField()
    published = models.BooleanField()
    tags = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    published_on = models.DateField(null=True)

    class Meta:
        db_table = "article"
        app_label = "shop"
