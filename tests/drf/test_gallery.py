"""The gallery with generated instances and inputs: `.data`, `.errors` and `.validated_data` equal DRF's."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal
from typing import Any

import pytest
from catalog.models import Article, Author, Category, Comment, Tag
from django.test import override_settings
from django.utils import timezone
from rest_framework import serializers as s

from tests.drf.compare import accepts_alike, both_ways, same
from tests.drf.gallery import MODELS, SERIALIZERS
from tests.drf.inputs import RAW

pytestmark = pytest.mark.filterwarnings("ignore:The list-based error format")
NOW = dt.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=dt.UTC)

# What a field of a class or its subclasses represents, and what it accepts; the last that fits counts.
FITTING: list[tuple[Any, list[Any], list[Any]]] = [
    (s.Field, ["text"], ["text"]),
    (s.BooleanField, [True, False], [True, "false"]),
    (s.CharField, ["ab", "ü“x”"], ["ab", "abc", " padded "]),
    (s.EmailField, ["a@b.co"], ["a@b.co", "a@[127.0.0.1]"]),
    (s.RegexField, ["AB1"], ["AB12", "x"]),
    (s.URLField, ["http://a.co/"], ["http://a.co/x", "ftp://a.co"]),
    (s.UUIDField, [uuid.UUID(int=9)], [str(uuid.UUID(int=9)), uuid.UUID(int=9).hex]),
    (s.IPAddressField, ["127.0.0.1"], ["127.0.0.1", "::1"]),
    (s.IntegerField, [5, 2**70], [5, "30", 6]),
    (s.FloatField, [1.5], [1.5, 3, "2.5"]),
    (s.DecimalField, [Decimal("1.50"), Decimal(2)], ["1.5", 2, "3.00"]),
    (s.DateTimeField, [NOW], ["2026-02-03T04:05:06Z", "2026-02-03T04:05:06.5+02:00"]),
    (s.DateField, [NOW.date()], ["2026-02-03", "2026"]),
    (s.TimeField, [dt.time(1, 2)], ["01:02:03", "01:02"]),
    (s.DurationField, [dt.timedelta(days=1, seconds=2)], ["1 00:00:02", "PT5S"]),
    (s.ChoiceField, ["a", 1, "x"], ["a", 1, "2", "x"]),
    (s.MultipleChoiceField, [["a"], {1}], [["a", "a", 1], ["x"]]),
    (s.ListField, [[1, 2], []], [[1, 2], [], ["a"], [["2026-01-01"]]]),
    (s.DictField, [{"a": "b"}], [{"a": "b"}, {}]),
    (s.JSONField, [{"a": [1]}, None], [{"a": [1, None]}, 5]),
]


def fitting(field: Any, side: int, dice: random.Random, depth: int = 0) -> Any:
    """A value for the field, most often one it is made for."""
    if dice.random() < 0.15:
        return dice.choice(RAW)
    if isinstance(field, s.ListSerializer):
        return [fitting(field.child, side, dice, depth + 1) for _ in range(dice.randrange(3))]
    if isinstance(field, s.Serializer):
        return generated(field, side, dice, depth + 1)
    if isinstance(field, (s.ListField, s.DictField)) and isinstance(field.child, s.Serializer):
        inner = generated(field.child, side, dice, depth + 1)
        return [inner] if isinstance(field, s.ListField) else {"k": inner}
    pool = next(entry[1 + side] for entry in reversed(FITTING) if isinstance(field, entry[0]))
    return dice.choice(pool)


def generated(made: Any, side: int, dice: random.Random, depth: int = 0) -> Any:
    """An instance (side 0, by the fields' sources) or input (side 1, by their names)."""
    record: dict[str, Any] = {}
    for name, field in getattr(made, "fields", {"score": s.IntegerField()}).items():
        if dice.random() < 0.08 or (side and field.read_only):
            continue
        value = fitting(field, side, dice, depth)
        path = (field.source or name).split(".") if side == 0 else [name]
        if path == ["*"]:
            record.update(value if isinstance(value, dict) else {})
            continue
        place = record
        for key in path[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                break
        else:
            place[path[-1]] = value
    return record


def test_the_gallery_is_large() -> None:
    assert len(SERIALIZERS) + len(MODELS) >= 60
    assert len({kind.__name__ for kind in SERIALIZERS}) == len(SERIALIZERS)


SETTINGS = [("UTC", {}), ("Europe/Paris", {"COERCE_DECIMAL_TO_STRING": False, "LIST_SERIALIZER_ERRORS_AS_DICT": True})]


@pytest.mark.parametrize(("zone", "settings"), SETTINGS, ids=["usual", "unusual"])
@pytest.mark.parametrize("kind", SERIALIZERS, ids=lambda kind: kind.__name__)
def test_generated_instances_and_inputs(kind: Any, zone: str, settings: dict[str, Any]) -> None:
    dice = random.Random(f"{kind.__name__} {zone}")
    with timezone.override(zone), override_settings(REST_FRAMEWORK=settings):
        for _ in range(8):
            both_ways(kind, generated(kind(), 0, dice))
            data = generated(kind(), 1, dice)
            accepts_alike(kind, data)
            accepts_alike(kind, data, partial=True)


@pytest.fixture
def shop() -> Any:
    author = Author.objects.create(name="A", email="a@x.org", country="fr", joined_at=NOW)
    root = Category.objects.create(name="root", slug="root")
    leaf = Category.objects.create(name="leaf", slug="leaf", parent=root)
    tag = Tag.objects.create(name="tag", slug="tag")
    for number, category in enumerate([leaf, None, root]):
        article = Article.objects.create(
            author=author, category=category, title=f"t{number}", slug=f"s{number}", body="b", price=Decimal("1.50"),
            created_at=NOW, updated_at=NOW, reading_time=dt.timedelta(minutes=5),
        )  # fmt: skip
        article.tags.add(tag)
        Comment.objects.create(article=article, name="n", body="x", created_at=NOW)


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("kind", MODELS, ids=range(len(MODELS)))
def test_models_of_the_shop(kind: Any) -> None:
    dice = random.Random(kind.__name__)
    rows = kind.Meta.model.objects
    same(kind, rows.all(), many=True)
    same(kind, rows.first())
    key = rows.first().pk
    for _ in range(6):
        data = generated(kind(), 1, dice)
        for name in {"author", "article", "parent", "category"} & data.keys():
            data[name] = dice.choice([key, str(key), key + 1000, None, "", "leaf", True])
        accepts_alike(kind, data)
        accepts_alike(kind, data, partial=True, instance=rows.first())
