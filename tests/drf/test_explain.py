"""`explain`: who does what, and what would change it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from catalog.models import Article
from rest_framework import serializers as s

from plectrum.drf import Decision, FieldExplanation, explain


class Tagged(s.CharField):
    def to_representation(self, value: Any) -> Any:
        return f"<{value}>"


class Inner(s.Serializer[Any]):
    name = s.CharField()


class Outer(s.Serializer[Any]):
    plain = s.CharField()
    tagged = Tagged()
    when = s.DateTimeField(format="%A")
    shout = s.SerializerMethodField()
    inner = Inner()
    inners = Inner(many=True)
    listed = s.ListField(child=Tagged())
    secret = s.CharField(write_only=True)

    def get_shout(self, obj: Any) -> str:
        return "!"


def fields(serializer: Any) -> dict[str, FieldExplanation]:
    return {field.name: field for field in explain(serializer).fields}


def test_each_field_has_its_reason() -> None:
    found = {name: field.output for name, field in fields(Outer).items()}
    assert found == {
        "plain": Decision("rust"),
        "tagged": Decision(
            "python", "Tagged.to_representation is not DRF's own", "leave to_representation to DRF's field"
        ),
        "when": Decision(
            "python", "its format has more than digits of date and time", "use %Y %m %d %H %M %S %f, or iso-8601"
        ),
        "shout": Decision("python", "its value is made by your get_shout", "declare a field with a source instead"),
        "inner": Decision("rust"),
        "inners": Decision("rust"),
        "listed": found["tagged"],
        "secret": Decision("unused"),
    }


class Checked(s.CharField):
    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data)


def test_relations_are_looked_up_by_drf() -> None:
    class In(s.Serializer[Any]):
        one = s.PrimaryKeyRelatedField(queryset=[])
        many = s.SlugRelatedField("name", queryset=[], many=True)

    assert {field.input for field in fields(In).values()} == {
        Decision("python", "DRF looks its object up in the database")
    }


def is_even(value: int) -> None:
    pass


def test_input_is_explained_too() -> None:
    class In(s.Serializer[Any]):
        plain = s.EmailField()
        checked = Checked()
        even = s.IntegerField(validators=[is_even])
        hooked = s.IntegerField()
        inner = Inner()
        inners = Inner(many=True)
        listed = s.ListField(child=Checked())
        file = s.FileField()
        out = s.ReadOnlyField()

        def validate_hooked(self, value: Any) -> Any:
            return value

    checked = Decision("python", "Checked.to_internal_value is not DRF's own", "leave to_internal_value to DRF's field")
    assert {name: field.input for name, field in fields(In).items()} == {
        "plain": Decision("rust"),
        "checked": checked,
        "even": Decision("python", "it has validators only Python knows", "use validators of Django's or DRF's"),
        "hooked": Decision("python", "your validate_hooked has the last word", "use validators DRF has instead"),
        "inner": Decision("rust"),
        "inners": Decision("rust"),
        "listed": checked,
        "file": Decision("python", "FileField is not read in Rust"),
        "out": Decision("unused"),
    }
    assert explain(In).input == Decision("rust")


def test_nested_serializers_are_explained() -> None:
    found = fields(Outer)
    inner = found["inner"].nested
    assert inner is not None
    assert inner == found["inners"].nested
    assert (inner.name, [field.name for field in inner.fields]) == (f"{__name__}.Inner", ["name"])
    assert (found["inners"].kind, found["plain"].nested) == ("ListSerializer", None)


def test_overrides_of_the_serializer_are_named() -> None:
    class Own(Inner):
        def to_representation(self, instance: Any) -> Any:
            return super().to_representation(instance)

    class OwnFields(Inner):
        @property
        def fields(self) -> Any:  # type: ignore[override]
            return super().fields

    assert explain(Inner).output == Decision("rust")
    assert explain(Own).output == Decision(
        "python", "Own.to_representation is not DRF's own", "leave to_representation to DRF"
    )
    assert explain(OwnFields).output == Decision("python", "OwnFields.fields is not DRF's own", "leave fields to DRF")


def test_one_that_nests_itself_ends() -> None:
    class Node(s.Serializer[Any]):
        def get_fields(self) -> Any:
            return {"children": Node(many=True)}

    assert fields(Node)["children"].nested is None


def test_models_instances_and_lists() -> None:
    class ArticleOut(s.ModelSerializer[Article]):
        class Meta:
            model = Article
            fields = "__all__"

    assert explain(ArticleOut) == explain(ArticleOut()) == explain(ArticleOut(many=True))
    assert fields(ArticleOut)["author"].output.way == "rust"
    assert json.dumps(dataclasses.asdict(explain(ArticleOut)))


def test_what_is_no_serializer() -> None:
    with pytest.raises(TypeError, match="is no Serializer class"):
        explain(s.CharField())
