"""Models that cover Django: every field type, every relation, every kind of inheritance."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from django.contrib.postgres import fields as postgres
from django.db import models
from django.db.models.functions import Lower


class Color(models.IntegerChoices):
    RED = 1, "Red"
    GREEN = 2, "Green"


class EveryField(models.Model):
    """Each field type of `django.db.models` twice: required and nullable."""

    boolean = models.BooleanField(default=False)
    boolean_null = models.BooleanField(null=True)
    small = models.SmallIntegerField(default=0)
    small_null = models.SmallIntegerField(null=True)
    integer = models.IntegerField(default=0)
    integer_null = models.IntegerField(null=True)
    big = models.BigIntegerField(default=0)
    big_null = models.BigIntegerField(null=True)
    positive_small = models.PositiveSmallIntegerField(default=0)
    positive_small_null = models.PositiveSmallIntegerField(null=True)
    positive = models.PositiveIntegerField(default=0)
    positive_null = models.PositiveIntegerField(null=True)
    positive_big = models.PositiveBigIntegerField(default=0)
    positive_big_null = models.PositiveBigIntegerField(null=True)
    floating = models.FloatField(default=0.0)
    floating_null = models.FloatField(null=True)
    decimal = models.DecimalField(max_digits=12, decimal_places=3, default=Decimal(0))
    decimal_null = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    decimal_long = models.DecimalField(max_digits=60, decimal_places=30, null=True)
    decimal_whole = models.DecimalField(max_digits=20, decimal_places=0, null=True)
    char = models.CharField(max_length=200, default="")
    char_null = models.CharField(max_length=200, null=True)
    text = models.TextField(default="")
    text_null = models.TextField(null=True)
    slug = models.SlugField(default="")
    slug_null = models.SlugField(null=True)
    email = models.EmailField(default="")
    email_null = models.EmailField(null=True)
    url = models.URLField(default="")
    url_null = models.URLField(null=True)
    uuid = models.UUIDField(default=uuid.uuid4)
    uuid_null = models.UUIDField(null=True)
    date = models.DateField(default=dt.date(2026, 1, 1))
    date_null = models.DateField(null=True)
    time = models.TimeField(default=dt.time(0))
    time_null = models.TimeField(null=True)
    datetime = models.DateTimeField(default=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    datetime_null = models.DateTimeField(null=True)
    duration = models.DurationField(default=dt.timedelta())
    duration_null = models.DurationField(null=True)
    binary = models.BinaryField(default=b"")
    binary_null = models.BinaryField(null=True)
    json = models.JSONField(default=dict)
    json_null = models.JSONField(null=True)
    ip = models.GenericIPAddressField(default="127.0.0.1")
    ip_null = models.GenericIPAddressField(null=True)
    file = models.FileField(upload_to="files/", default="")
    file_null = models.FileField(upload_to="files/", null=True)
    file_path = models.FilePathField(path="/etc", default="")
    color = models.IntegerField(choices=Color, default=Color.RED)
    color_null = models.IntegerField(choices=Color, null=True)
    generated = models.GeneratedField(
        expression=Lower("char"), output_field=models.CharField(max_length=200), db_persist=True
    )

    class Meta:
        ordering = ["id"]


class CITextField(models.TextField):  # type: ignore[type-arg]
    """A `citext` column, as migrations from Django < 5.1 left them."""

    def db_type(self, connection: Any) -> str:
        return "citext"


class PostgresField(models.Model):
    """What only PostgreSQL has."""

    integers = postgres.ArrayField(models.IntegerField(), default=list)
    integers_null = postgres.ArrayField(models.IntegerField(null=True), null=True)
    words = postgres.ArrayField(models.CharField(max_length=20), default=list)
    matrix = postgres.ArrayField(postgres.ArrayField(models.IntegerField()), null=True)
    moments = postgres.ArrayField(models.DateTimeField(), null=True)
    prices = postgres.ArrayField(models.DecimalField(max_digits=8, decimal_places=2), null=True)
    hstore = postgres.HStoreField(default=dict)
    hstore_null = postgres.HStoreField(null=True)
    integer_range = postgres.IntegerRangeField(null=True)
    big_range = postgres.BigIntegerRangeField(null=True)
    decimal_range = postgres.DecimalRangeField(null=True)
    date_range = postgres.DateRangeField(null=True)
    datetime_range = postgres.DateTimeRangeField(null=True)
    citext = CITextField(null=True)

    class Meta:
        ordering = ["id"]
        required_db_vendor = "postgresql"


class SmallKey(models.Model):
    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=20)


class AutoKey(models.Model):
    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=20)


class UuidKey(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=20)


class TextKey(models.Model):
    code = models.CharField(primary_key=True, max_length=20)
    name = models.CharField(max_length=20)


class Related(models.Model):
    """Relations of every kind, to keys of every kind."""

    small = models.ForeignKey(SmallKey, models.CASCADE, null=True, related_name="many")
    auto = models.ForeignKey(AutoKey, models.CASCADE, null=True, related_name="many")
    uuid = models.ForeignKey(UuidKey, models.CASCADE, null=True, related_name="many")
    text = models.ForeignKey(TextKey, models.CASCADE, null=True, related_name="many")
    one = models.OneToOneField(AutoKey, models.CASCADE, null=True, related_name="one")
    several = models.ManyToManyField(UuidKey, related_name="related_set")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    class Meta:
        ordering = ["id"]


class Timestamped(models.Model):
    created = models.DateTimeField(default=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    class Meta:
        abstract = True


class Place(Timestamped):
    name = models.CharField(max_length=50)


class Restaurant(Place):
    """Multi-table inheritance: its own table joined to Place's."""

    stars = models.PositiveSmallIntegerField(default=0)


class OpenManager(models.Manager["Door"]):
    def get_queryset(self) -> models.QuerySet[Door]:
        return super().get_queryset().filter(is_open=True)


class Door(models.Model):
    """A custom default manager."""

    label = models.CharField(max_length=20, db_column="door_label")
    is_open = models.BooleanField(default=True)

    objects = OpenManager()
    all_objects: models.Manager[Door] = models.Manager()

    class Meta:
        db_table = "A table with spaces"


class FrontDoor(Door):
    class Meta:
        proxy = True
        ordering = ["-label"]


class Money:
    """What a custom field's values are made of."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    def __hash__(self) -> int:
        return hash(self.cents)

    def __str__(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02}"


class MoneyField(models.BigIntegerField):  # type: ignore[type-arg]
    """A custom field: an integer in the database, `Money` in Python."""

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Money | None:
        return None if value is None else Money(value)

    def to_python(self, value: Any) -> Money | None:
        return value if value is None or isinstance(value, Money) else Money(int(value))

    def get_prep_value(self, value: Any) -> int | None:
        return value.cents if isinstance(value, Money) else super().get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))


class Wallet(models.Model):
    owner = models.CharField(max_length=20)
    balance = MoneyField()


class RevokedToken(models.Model):
    """What `plectrum.auth.tokens.ModelRevocation` keeps."""

    name = models.CharField(max_length=64, unique=True)
    until: models.DateTimeField[Any, Any] = models.DateTimeField()
