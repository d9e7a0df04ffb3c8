"""Serializers of every kind DRF's guide documents, without a database."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

from catalog.models import Article, Author, Category, Comment, Tag
from django.core import validators as v
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers as s

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
SERIALIZERS: list[Any] = []


def shown(kind: Any) -> Any:
    """Adds a serializer to the gallery."""
    SERIALIZERS.append(kind)
    return kind


def of(name: str, /, *bases: Any, **body: Any) -> Any:
    """Makes one, and adds it."""
    return shown(type(name, bases or (s.Serializer,), body))


def multiple_of_ten(value: Any) -> None:
    if int(value) % 10:
        raise s.ValidationError("Not a multiple of ten", code="ten")


class MultipleOf:
    requires_context = True

    def __init__(self, base: int) -> None:
        self.base = base

    def __call__(self, value: Any, serializer_field: Any) -> None:
        if value % self.base:
            raise s.ValidationError(f"{serializer_field.field_name} must be a multiple of {self.base}.")


def in_order(attrs: Any) -> None:
    if attrs.get("start") and attrs.get("end") and attrs["start"] > attrs["end"]:
        raise DjangoValidationError("finish must occur after start", code="order")


# Fields, one kind after the other.
of("Booleans", a=s.BooleanField(), b=s.BooleanField(allow_null=True), c=s.BooleanField(default=True))
of("Texts", a=s.CharField(), b=s.CharField(max_length=5, allow_blank=True), c=s.CharField(trim_whitespace=False))
of("Emails", a=s.EmailField(), b=s.EmailField(allow_blank=True, required=False))
of("Patterns", a=s.RegexField(r"^[A-Z]{2}\d+$"), b=s.RegexField("x", max_length=3, allow_null=True))
of("Slugs", a=s.SlugField(), b=s.SlugField(allow_unicode=True))
of("Links", a=s.URLField(), b=s.URLField(max_length=40, allow_null=True))
of("Identifiers", a=s.UUIDField(), b=s.UUIDField(format="hex"), c=s.UUIDField(format="urn", required=False))
of("Addresses", a=s.IPAddressField(), b=s.IPAddressField(protocol="ipv4"), c=s.IPAddressField(protocol="IPv6"))
of("Integers", a=s.IntegerField(), b=s.IntegerField(min_value=0, max_value=10), c=s.BigIntegerField(allow_null=True))
of("Floats", a=s.FloatField(), b=s.FloatField(min_value=-1.5, max_value=1e6))
of("Decimals", a=s.DecimalField(10, 2), b=s.DecimalField(5, 0), c=s.DecimalField(None, 3, coerce_to_string=False))
of("MoreDecimals", a=s.DecimalField(10, 2, localize=True), b=s.DecimalField(9, 4, normalize_output=True))
of("Bounds", a=s.DecimalField(10, 2, min_value=Decimal("0.5"), max_value=100), b=s.DecimalField(4, 3, allow_null=True))
of(
    "Moments",
    a=s.DateTimeField(),
    b=s.DateTimeField(format="%d.%m.%Y %H:%M"),
    c=s.DateTimeField(default_timezone=PARIS),
)
of("OwnMoments", a=s.DateTimeField(input_formats=["%d.%m.%Y", "iso-8601"]), b=s.DateTimeField(format=None))
of(
    "Dates",
    a=s.DateField(),
    b=s.DateField(format="%Y", input_formats=["%Y", "iso-8601"]),
    c=s.DateField(allow_null=True),
)
of("Times", a=s.TimeField(), b=s.TimeField(format="%H", input_formats=["%H:%M"]))
of("Durations", a=s.DurationField(), b=s.DurationField(min_value=dt.timedelta(0)), c=s.DurationField(format="iso-8601"))
of(
    "Choices",
    a=s.ChoiceField(["a", "b"]),
    b=s.ChoiceField([(1, "one"), (2, "two")]),
    c=s.ChoiceField("xy", allow_blank=True),
)
of("Groups", a=s.ChoiceField([("Big", ((1, "one"), (2, "two"))), (3, "three")], allow_null=True))
of(
    "ManyChoices",
    a=s.MultipleChoiceField(choices=["a", "b", 1]),
    b=s.MultipleChoiceField(choices="xy", allow_empty=False),
)
of("Files", a=s.FileField(required=False), b=s.FileField(use_url=False, allow_null=True))
of(
    "Lists",
    a=s.ListField(),
    b=s.ListField(child=s.IntegerField(min_value=0), max_length=3),
    c=s.ListField(allow_empty=False),
)
of(
    "DeepLists",
    a=s.ListField(child=s.ListField(child=s.DateField())),
    b=s.ListField(child=s.CharField(allow_null=True)),
)
of("Mappings", a=s.DictField(), b=s.DictField(child=s.CharField(max_length=3)), c=s.HStoreField(allow_null=True))
of("Documents", a=s.JSONField(), b=s.JSONField(binary=True), c=s.JSONField(default=dict, allow_null=True))
of("ReadOnly", a=s.ReadOnlyField(), b=s.CharField(read_only=True), c=s.IntegerField(read_only=True, default=3))
of("Hidden", a=s.HiddenField(default=1), b=s.HiddenField(default=s.CreateOnlyDefault(list)), c=s.CharField())
of("Methods", a=s.SerializerMethodField(), b=s.SerializerMethodField("sized"), get_a=lambda self, row: str(type(row)),
   sized=lambda self, row: len(self.fields))  # fmt: skip
of("Sources", a=s.CharField(source="b"), c=s.CharField(source="inner.name"), d=s.IntegerField(source="inner.size"))
of("WriteOnly", a=s.CharField(write_only=True), b=s.IntegerField(write_only=True, default=7), c=s.CharField())
of(
    "Defaults",
    a=s.CharField(default="a"),
    b=s.IntegerField(default=lambda: 2),
    c=s.JSONField(default=None, allow_null=True),
)
of("Optional", a=s.CharField(required=False), b=s.IntegerField(required=False, allow_null=True))
of("Messages", a=s.IntegerField(error_messages={"invalid": "no number", "required": "where?"}),
   b=s.CharField(max_length=2, error_messages={"max_length": "{max_length} at most", "blank": "say it"}))  # fmt: skip
of("Validators", a=s.IntegerField(validators=[multiple_of_ten]), b=s.IntegerField(validators=[MultipleOf(3)]),
   c=s.CharField(validators=[v.MinLengthValidator(2), v.validate_slug]))  # fmt: skip


@shown
class Commented(s.Serializer[Any]):
    email = s.EmailField()
    content = s.CharField(max_length=200)
    created = s.DateTimeField()

    def create(self, validated_data: Any) -> Any:
        return validated_data


@shown
class Blog(s.Serializer[Any]):
    title = s.CharField(max_length=100)
    content = s.CharField()

    def validate_title(self, value: Any) -> Any:
        if "x" in value.lower():
            raise s.ValidationError("Blog post is not about X")
        return value


@shown
class Event(s.Serializer[Any]):
    start = s.DateTimeField(allow_null=True)
    end = s.DateTimeField(required=False)

    class Meta:
        validators = [in_order]


@shown
class Checked(Event):
    def validate(self, attrs: Any) -> Any:
        if not attrs.get("start"):
            raise s.ValidationError({"start": "say when"})
        return attrs


inner: dict[str, Any] = {"name": s.CharField(max_length=4), "size": s.IntegerField(required=False)}
Inner = of("Inner", **inner)
of("Nested", one=Inner(), maybe=Inner(required=False, allow_null=True))
of("NestedLists", rows=Inner(many=True), few=Inner(many=True, max_length=2, required=False, allow_empty=False))
of("ListedNested", rows=s.ListField(child=Inner()), named=s.DictField(child=Inner(), required=False))
of("ReadNested", one=Inner(read_only=True), rows=Inner(many=True, read_only=True, source="few"))
of("DefaultNested", one=Inner(default={"name": "d"}), rows=Inner(many=True, default=list))
of("SourceNested", one=Inner(source="*"), other=Inner(source="maybe", write_only=True, required=False))
of("Deep", a=of("Middle", one=Inner(), name=s.CharField())(), name=s.CharField())
of("Inherited", Inner, extra=s.CharField(default="e"))
of("Removed", Inner, size=None, extra=s.DateField(required=False))


@shown
class Rendered(Inner):  # type: ignore[misc, valid-type]
    def to_representation(self, instance: Any) -> Any:
        return {**super().to_representation(instance), "rendered": True}


@shown
class Read(Inner):  # type: ignore[misc, valid-type]
    def to_internal_value(self, data: Any) -> Any:
        return {**super().to_internal_value(data), "read": True}


class Color(s.Field[Any, Any, Any, Any]):
    default_error_messages = {"format": "Expected rgb(...), got {got}."}

    def to_representation(self, value: Any) -> Any:
        return f"rgb({value})"

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("format", got=type(data).__name__)
        return data.strip("rgb()")


class Coordinates(s.Field[Any, Any, Any, Any]):
    def to_representation(self, value: Any) -> Any:
        return {"x": str(value)}

    def to_internal_value(self, data: Any) -> Any:
        return {"x": data, "y": data}


of("Colors", color=Color(), at=Coordinates(source="*"), name=s.CharField(required=False))


@shown
class Dynamic(s.Serializer[Any]):
    a = s.CharField()
    b = s.IntegerField()
    c = s.DateField(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields.pop("c")
        self.fields["b"].required = False


@shown
class Renamed(s.Serializer[Any]):
    def get_fields(self) -> Any:
        return {"class": s.CharField(), "from": s.IntegerField(source="size", required=False)}


@shown
class Scores(s.BaseSerializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict) or "score" not in data:
            raise s.ValidationError({"score": "This field is required."})
        return {"score": int(data["score"])}

    def to_representation(self, instance: Any) -> Any:
        return {"keys": str(instance)[:20]}


class Reversed(s.ListSerializer[Any]):
    def to_representation(self, data: Any) -> Any:
        return super().to_representation(data)[::-1]

    def validate(self, attrs: Any) -> Any:
        if len(attrs) > 3:
            raise s.ValidationError("too many")
        return attrs


of("Rows", Inner, Meta=type("Meta", (), {"list_serializer_class": Reversed}))


@shown
class Twice(s.Serializer[Any]):
    password = s.CharField(write_only=True, min_length=2)
    again = s.CharField(write_only=True)

    def validate(self, attrs: Any) -> Any:
        if attrs["password"] != attrs.pop("again"):
            raise s.ValidationError("differ", code="differ")
        return attrs


def model(kind: Any, **meta: Any) -> Any:
    declared = {name: meta.pop(name) for name in list(meta) if isinstance(meta[name], s.Field)}
    bases = (meta.pop("base", s.ModelSerializer),)
    return type(f"{kind.__name__}Out", bases, {**declared, "Meta": type("Meta", (), {"model": kind, **meta})})


MODELS = [
    model(Author, fields="__all__"),
    model(Author, exclude=["bio"], read_only_fields=["joined_at"]),
    model(Category, fields=["name", "slug", "parent", "position"]),
    model(Category, fields=["name", "parent"], depth=2),
    model(Tag, fields="__all__"),
    model(Article, fields="__all__"),
    model(Article, fields=["title", "price", "author"], extra_kwargs={"title": {"max_length": 3, "write_only": True}}),
    model(Article, fields=["title", "by"], by=s.CharField(source="author.name", read_only=True)),
    model(Article, fields=["price", "title"], price=s.DecimalField(4, 1), title=s.SerializerMethodField("__str__")),
    model(
        Article,
        fields=["id", "tags", "names"],
        names=s.SlugRelatedField("name", source="tags", many=True, read_only=True),
    ),
    model(Article, fields=["category", "comments"], comments=s.StringRelatedField(many=True, read_only=True)),
    model(Article, fields=["category"], category=s.SlugRelatedField("slug", queryset=Category.objects.all())),
    model(Comment, fields="__all__", article=s.PrimaryKeyRelatedField(read_only=True)),
    model(
        Comment,
        fields=["name", "article"],
        article=s.PrimaryKeyRelatedField(queryset=Article.objects.all(), pk_field=s.CharField()),
    ),
]
