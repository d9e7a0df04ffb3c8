"""A shop of articles to read: authors, categories, tags, articles and comments."""

from __future__ import annotations

import uuid

from django.db import models


class Author(models.Model):
    """Somebody who writes."""

    class Country(models.TextChoices):
        FRANCE = "fr", "France"
        GERMANY = "de", "Germany"
        JAPAN = "jp", "日本"
        BRITAIN = "gb", "United Kingdom"
        BRAZIL = "br", "Brazil"

    name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)
    bio = models.TextField(blank=True)
    country = models.CharField(max_length=2, choices=Country)
    website = models.URLField(blank=True)
    portrait = models.FileField(upload_to="portraits/", blank=True)
    born = models.DateField(null=True, blank=True)
    joined_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A node of a tree."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word articles are found by."""

    name = models.CharField(max_length=40, unique=True)
    slug = models.SlugField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """What is sold: a text with the many kinds of columns real projects have."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        ARCHIVED = "archived", "Archived"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    author = models.ForeignKey(Author, models.CASCADE, related_name="articles")
    category = models.ForeignKey(Category, models.SET_NULL, null=True, blank=True, related_name="articles")
    tags = models.ManyToManyField(Tag, blank=True, related_name="articles")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    rating = models.FloatField(null=True, blank=True)
    views = models.PositiveIntegerField(default=0)
    featured = models.BooleanField(default=False)
    details = models.JSONField(default=dict, blank=True)
    cover = models.FileField(upload_to="covers/", blank=True)
    reading_time = models.DurationField(null=True, blank=True)
    submitted_from = models.GenericIPAddressField(null=True, blank=True)
    published_on = models.DateField(null=True, blank=True)
    airs_at = models.TimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["status", "-created_at"]),
            models.Index(fields=["author", "-created_at"]),
            models.Index(fields=["views"]),
        ]

    def __str__(self) -> str:
        return self.title


class Comment(models.Model):
    """What a reader thinks of an article."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="comments")
    name = models.CharField(max_length=80)
    email = models.EmailField(blank=True)
    body = models.TextField()
    stars = models.PositiveSmallIntegerField(null=True, blank=True)
    approved = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.name} on {self.article_id}"
