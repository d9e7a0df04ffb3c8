"""Fields copied for each instance: as DRF would have made them, and each instance's own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from catalog.models import Article, Author, Category
from django.test import override_settings
from django.utils import translation
from django.utils.translation import gettext_lazy
from rest_framework import serializers as s

from plectrum.drf import RustSerializerMixin, installed
from tests.drf.compare import rust
from tests.drf.gallery import MODELS, SERIALIZERS

IGNORED = {"parent", "_creation_counter", "_plectrum"}


def shape(field: Any) -> Any:
    """All a field is made of."""
    state = {name: value for name, value in vars(field).items() if name not in IGNORED}
    children = [shape(state.pop(name)) for name in ("child", "child_relation") if name in state]
    validators = [(type(item), str(getattr(item, "message", ""))) for item in state.pop("_validators", ())]
    return type(field).__qualname__, re.sub(" at 0x[0-9a-f]+", "", repr(sorted(state.items()))), validators, children


@pytest.mark.django_db  # a queryset's `repr` asks for rows
@pytest.mark.parametrize("kind", [kind for kind in SERIALIZERS + MODELS if issubclass(kind, s.Serializer)], ids=repr)
def test_copies_are_what_drf_makes(kind: Any) -> None:
    fast = rust(kind)
    for language in ("en", "de", "en"):
        with translation.override(language):
            expected = [(name, shape(field)) for name, field in kind().fields.items()]
            for _ in range(3):
                made = fast()
                assert [(name, shape(field)) for name, field in made.fields.items()] == expected
                assert all(field.parent is made for field in made.fields.values())


def test_instances_do_not_share() -> None:
    class Out(RustSerializerMixin, s.ModelSerializer[Article]):
        class Meta:
            model = Article
            fields = ["title", "status", "tags"]

    made = [Out() for _ in range(4)]
    first = made[-2].fields
    first["title"].validators.clear()
    first["title"].error_messages["blank"] = "other"
    first["title"].style["x"] = 1
    first["status"].choices = ["only"]
    first["tags"].child_relation.queryset = None
    first.pop("title")
    other = made[-1].fields
    assert other["title"].validators
    assert other["title"].error_messages["blank"] != "other"
    assert other["title"].style == {}
    assert list(other["status"].choices) == ["draft", "live", "archived"]
    assert other["tags"].child_relation.queryset is not None
    assert other["tags"].child_relation.parent is other["tags"]


def test_messages_are_in_the_language_they_are_shown_in() -> None:
    class In(RustSerializerMixin, s.Serializer[Any]):
        a = s.CharField(max_length=2)

    def message(language: str) -> str:
        with translation.override(language):
            made = In(data={"a": "long"})
            made.is_valid()
            return str(made.errors["a"][0])

    made = [In(data={"a": "long"}) for _ in range(3)]
    english, german = message("en"), message("de")
    assert english != german
    for _ in range(3):
        assert (message("en"), message("de")) == (english, german)
    with translation.override("de"):
        made[0].is_valid()
        assert made[0].errors["a"] == [german]


def test_changes_of_the_class_are_seen() -> None:
    class Out(RustSerializerMixin, s.ModelSerializer[Author]):
        class Meta:
            model = Author
            fields = ["name"]
            extra_kwargs: Any = {"name": {"max_length": 5}}

    for _ in range(3):
        assert Out().fields["name"].max_length == 5
    Out.Meta.fields.append("email")
    assert list(Out().fields) == ["name", "email"]
    Out.Meta.fields = ["email"]
    assert list(Out().fields) == ["email"]
    Out.Meta.fields = ["name"]
    for _ in range(3):
        Out()
    Out.Meta.extra_kwargs["name"]["max_length"] = 7
    assert Out().fields["name"].max_length == 7
    Out.serializer_field_mapping = {**Out.serializer_field_mapping, type(Author._meta.get_field("name")): s.SlugField}
    assert type(Out().fields["name"]) is s.SlugField
    Out.serializer_field_mapping[type(Author._meta.get_field("name"))] = s.EmailField  # in place
    assert type(Out().fields["name"]) is s.EmailField
    Out.Meta.extra_kwargs = {}
    setattr(Out, "build_standard_field", lambda self, name, field: (s.ReadOnlyField, {}))  # noqa: B010
    assert type(Out().fields["name"]) is s.ReadOnlyField


def test_the_declared_fields_alone() -> None:
    class Out(RustSerializerMixin, s.ModelSerializer[Author]):
        more = s.CharField()

        class Meta:
            model = Author
            fields = ("name", "more")

        def get_fields(self) -> Any:
            declared = super(s.ModelSerializer, self).get_fields()
            return {**super().get_fields(), "alone": s.ListField(default=list(declared))}

    with installed():
        for _ in range(3):
            fields = Out().fields
            assert list(fields) == ["name", "more", "alone"]
            assert fields["alone"].default == ["more"]


def test_changes_of_the_model_and_the_settings_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Out(RustSerializerMixin, s.ModelSerializer[Category]):
        class Meta:
            model = Category
            fields = ["name", "url"]

    Out.Meta.fields = ["name"]
    for _ in range(3):
        assert Out().fields["name"].max_length == 80
    monkeypatch.setattr(Category._meta.get_field("name"), "max_length", 9)
    assert Out().fields["name"].max_length == 9
    monkeypatch.undo()
    assert Out().fields["name"].max_length == 80
    monkeypatch.setattr(Category._meta.get_field("name"), "verbose_name", gettext_lazy("Yes"))
    with translation.override("de"):
        assert Out().fields["name"].label == "Ja"
    with override_settings(REST_FRAMEWORK={"HTML_SELECT_CUTOFF": 7}):
        Out.Meta.fields = ["parent"]
        assert [Out().fields["parent"].html_cutoff for _ in range(3)] == [7, 7, 7]
    assert [Out().fields["parent"].html_cutoff for _ in range(3)] == [1000, 1000, 1000]


def test_what_depends_on_the_instance_does() -> None:
    class Own(RustSerializerMixin, s.ModelSerializer[Author]):
        class Meta:
            model = Author
            fields = ["name", "email"]

        def get_field_names(self, declared_fields: Any, info: Any) -> Any:
            return self.context.get("only", ["name"])

        def get_fields(self) -> Any:
            return {**super().get_fields(), "more": s.CharField()}

    for only in (["name"], ["email"], ["name", "email"]):
        assert list(Own(context={"only": only}).fields) == [*only, "more"]
