"""One model per field type: `value` is required, `maybe` may be NULL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.postgres import fields as postgres
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower

from ..fields import CITextField, MoneyField, UpperField, WordsField

__all__ = ["EVERYWHERE", "POSTGRES", "Specimen"]

HERE = Path(__file__).parent


class Specimen(models.Model):
    """What they have in common.

    Parameters:
        value, maybe: fields of the type; a key and a generated column have but one.
    """

    class Meta:
        abstract = True
        ordering = ["pk"]


class Size(models.IntegerChoices):
    SMALL = -1, "Small"
    LARGE = 2, "Large"


class Mood(models.TextChoices):
    GLAD = "glad", "Glad"
    SAD = "très triste", "Sad"


def _specimen(name: str, fields: dict[str, models.Field[Any, Any]], vendor: str | None = None) -> type[Specimen]:
    options: dict[str, Any] = {"ordering": ["pk"]}
    if vendor is not None:
        options["required_db_vendor"] = vendor
    body = {"__module__": __name__, "Meta": type("Meta", (), options), **fields}
    return type(name.title().replace("_", ""), (Specimen,), body)


def _pair(field: Callable[..., Any], **options: Any) -> dict[str, models.Field[Any, Any]]:
    return {"value": field(**options), "maybe": field(**options, null=True)}


def _key(field: type[models.Field[Any, Any]]) -> dict[str, models.Field[Any, Any]]:
    return {"value": field(primary_key=True)}


def _decimal(digits: int, places: int) -> dict[str, models.Field[Any, Any]]:
    return _pair(models.DecimalField, max_digits=digits, decimal_places=places)


def _generated(source: models.Field[Any, Any], expression: Any, **output: Any) -> dict[str, models.Field[Any, Any]]:
    return {"value": source, "twin": models.GeneratedField(expression=expression, db_persist=True, **output)}


#: Field types of every engine, by name.
EVERYWHERE: dict[str, type[Specimen]] = {
    name: _specimen(name, fields)
    for name, fields in {
        "small_auto": _key(models.SmallAutoField),
        "auto": _key(models.AutoField),
        "big_auto": _key(models.BigAutoField),
        "uuid_key": _key(models.UUIDField),
        "small_integer": _pair(models.SmallIntegerField),
        "integer": _pair(models.IntegerField),
        "big_integer": _pair(models.BigIntegerField),
        "positive_small_integer": _pair(models.PositiveSmallIntegerField),
        "positive_integer": _pair(models.PositiveIntegerField),
        "positive_big_integer": _pair(models.PositiveBigIntegerField),
        "float": _pair(models.FloatField),
        "decimal": _decimal(12, 3),
        "decimal_whole": _decimal(20, 0),
        "decimal_fraction": _decimal(5, 5),
        "decimal_long": _decimal(38, 10),
        "decimal_longest": _decimal(60, 30),
        "boolean": _pair(models.BooleanField),
        "char": _pair(models.CharField, max_length=200),
        "text": _pair(models.TextField),
        "slug": _pair(models.SlugField),
        "email": _pair(models.EmailField),
        "url": _pair(models.URLField),
        "uuid": _pair(models.UUIDField),
        "date": _pair(models.DateField),
        "time": _pair(models.TimeField),
        "datetime": _pair(models.DateTimeField),
        "duration": _pair(models.DurationField),
        "binary": _pair(models.BinaryField),
        "json": _pair(models.JSONField),
        "json_encoded": _pair(models.JSONField, encoder=DjangoJSONEncoder),
        "ip": _pair(models.GenericIPAddressField),
        "ipv4": _pair(models.GenericIPAddressField, protocol="IPv4"),
        "ipv6": _pair(models.GenericIPAddressField, protocol="IPv6"),
        "ip_unpacked": _pair(models.GenericIPAddressField, unpack_ipv4=True),
        "file": _pair(models.FileField, max_length=200),
        "image": _pair(models.ImageField, max_length=200),
        "file_path": _pair(models.FilePathField, path=HERE, max_length=200),
        "integer_choice": _pair(models.IntegerField, choices=Size),
        "text_choice": _pair(models.CharField, choices=Mood, max_length=20),
        "generated_text": _generated(
            models.CharField(max_length=200), Lower("value"), output_field=models.CharField(max_length=200)
        ),
        "generated_integer": _generated(
            models.IntegerField(null=True), F("value") * 2 + 1, output_field=models.BigIntegerField(null=True)
        ),
        "generated_decimal": _generated(
            models.DecimalField(max_digits=10, decimal_places=3),
            F("value") * 2,
            output_field=models.DecimalField(max_digits=14, decimal_places=2),
        ),
        "money": _pair(MoneyField),
        "words": _pair(WordsField),
        "upper": _pair(UpperField, max_length=200),
    }.items()
}

_ARRAYS: dict[str, models.Field[Any, Any]] = {
    "integers": models.BigIntegerField(null=True),
    "floats": models.FloatField(),
    "decimals": models.DecimalField(max_digits=30, decimal_places=8, null=True),
    "booleans": models.BooleanField(null=True),
    "texts": models.TextField(null=True),
    "uuids": models.UUIDField(),
    "dates": models.DateField(),
    "times": models.TimeField(null=True),
    "datetimes": models.DateTimeField(null=True),
    "durations": models.DurationField(),
    "ips": models.GenericIPAddressField(),
    "jsons": models.JSONField(),
    "choices": models.CharField(max_length=20, choices=Mood),
}

#: Field types of PostgreSQL, by name.
POSTGRES: dict[str, type[Specimen]] = {
    name: _specimen(name, fields, "postgresql")
    for name, fields in {
        "citext": _pair(CITextField),
        "hstore": _pair(postgres.HStoreField),
        "integer_range": _pair(postgres.IntegerRangeField),
        "big_integer_range": _pair(postgres.BigIntegerRangeField),
        "decimal_range": _pair(postgres.DecimalRangeField),
        "date_range": _pair(postgres.DateRangeField),
        "datetime_range": _pair(postgres.DateTimeRangeField),
        **{f"array_of_{name}": _pair(postgres.ArrayField, base_field=item) for name, item in _ARRAYS.items()},
        "array_of_arrays": _pair(
            postgres.ArrayField, base_field=postgres.ArrayField(models.IntegerField(null=True), null=True)
        ),
        "array_of_arrays_of_texts": _pair(
            postgres.ArrayField, base_field=postgres.ArrayField(postgres.ArrayField(models.CharField(max_length=20)))
        ),
        "array_of_hstores": _pair(postgres.ArrayField, base_field=postgres.HStoreField()),
    }.items()
}
