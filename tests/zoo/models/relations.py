"""Relations of every kind, to keys of every kind; inheritance of every kind."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import models

__all__ = [
    "Author", "Book", "Contribution", "Country", "Cover", "Door", "FrontDoor", "Label", "Note", "Place", "Publisher",
    "Restaurant", "Trattoria",
]  # fmt: skip


class Country(models.Model):
    """A UUID for a key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["name", "pk"]


class Author(models.Model):
    """An integer for a key."""

    name = models.CharField(max_length=50)
    born_in = models.ForeignKey(Country, models.CASCADE, null=True, related_name="authors")
    born_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]


class Publisher(models.Model):
    """Text for a key, and a second unique field that is referred to."""

    code = models.CharField(primary_key=True, max_length=20)
    number = models.DecimalField(max_digits=12, decimal_places=2, unique=True)

    class Meta:
        ordering = ["pk"]


class Label(models.Model):
    """The small end of a many-to-many relation, with a key named otherwise."""

    slug = models.SlugField(primary_key=True)
    rank = models.IntegerField(default=0)

    class Meta:
        ordering = ["-rank", "pk"]


class BookQuerySet(models.QuerySet["Book"]):
    def cheap(self) -> BookQuerySet:
        return self.filter(price__lt=10)


class Book(models.Model):
    """Relations of every kind."""

    title = models.CharField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    printed_on = models.DateField(null=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, models.CASCADE, null=True, related_name="edited")
    country = models.ForeignKey(Country, models.CASCADE, null=True)
    publisher = models.ForeignKey(Publisher, models.CASCADE, null=True, related_name="books")
    series = models.ForeignKey(Publisher, models.CASCADE, null=True, to_field="number", related_name="series")
    sequel_to = models.ForeignKey("self", models.CASCADE, null=True, related_name="sequels")
    labels = models.ManyToManyField(Label, related_name="books")
    contributors = models.ManyToManyField(Author, through="Contribution", related_name="contributed")

    objects = BookQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]


class Contribution(models.Model):
    """The join table of a many-to-many relation, with a column of its own."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="contributions")
    author = models.ForeignKey(Author, models.CASCADE, related_name="contributions")
    share = models.FloatField()

    class Meta:
        ordering = ["pk"]


class Cover(models.Model):
    """A one-to-one relation for a key."""

    book = models.OneToOneField(Book, models.CASCADE, primary_key=True)
    picture = models.FileField(upload_to="covers/", blank=True)

    class Meta:
        ordering = ["pk"]


class Note(models.Model):
    """Related to a key that is a relation itself."""

    cover = models.ForeignKey(Cover, models.CASCADE, null=True, related_name="notes")
    text = models.TextField()

    class Meta:
        ordering = ["pk"]


class Timestamped(models.Model):
    """Abstract."""

    created = models.DateTimeField(default=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    class Meta:
        abstract = True


class Place(Timestamped):
    name = models.CharField(max_length=50)

    class Meta:
        ordering = ["pk"]


class Restaurant(Place):
    """Its own table, joined to Place's."""

    stars = models.PositiveSmallIntegerField(default=0)
    owner = models.ForeignKey(Author, models.CASCADE, null=True)

    class Meta:
        ordering = ["pk"]


class Trattoria(Restaurant):
    """Two parents deep."""

    menu = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]


class OpenManager(models.Manager["Door"]):
    def get_queryset(self) -> models.QuerySet[Door]:
        return super().get_queryset().filter(is_open=True)


class Door(models.Model):
    """A default manager that hides rows, a table and columns with names of their own."""

    label = models.CharField(max_length=20, db_column="the label")
    is_open = models.BooleanField(default=True)
    place = models.ForeignKey(Place, models.CASCADE, null=True, related_name="doors")

    objects = OpenManager()
    all_objects: models.Manager[Door] = models.Manager()

    class Meta:
        db_table = "A zoo's table"
        ordering = ["pk"]


class FrontDoor(Door):
    """A proxy."""

    class Meta:
        proxy = True
        ordering = ["-label", "pk"]
