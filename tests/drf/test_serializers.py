"""Sources, nesting, overrides and removals: what a serializer is besides its fields."""
# ruff: noqa: B023 - each function is called before the loop goes on

from __future__ import annotations

import copy
import functools
import gc
import weakref
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.utils.functional import SimpleLazyObject
from rest_framework import serializers as s
from rest_framework.fields import SkipField
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from plectrum.drf import RustSerializerMixin, install, installed, to_json, uninstall
from plectrum.drf.compile import REPRESENT, REPRESENT_LIST
from tests.drf.compare import both_ways, outcome, rust, same


def raising(error: Exception) -> Any:
    def fail(self: Any) -> Any:
        raise error

    return fail


class Thing:
    """Attributes of every kind."""

    plain = "class"

    def __init__(self) -> None:
        self.inner: Any = SimpleNamespace(name="inner", none=None)
        self.mapping = {"key": {"deep": 1}}
        self.none = None
        self.builtin = len
        self.partial = functools.partial(int, "7")
        self.proxy = SimpleLazyObject(lambda: {"name": "lazy"})

    def __repr__(self) -> str:
        return "thing"

    def method(self) -> str:
        return "called"

    def with_default(self, x: int = 3) -> int:
        return x

    def needs(self, x: int) -> int:
        return x

    missing_attribute = property(raising(AttributeError("attribute")))
    missing_key = property(raising(KeyError("key")))
    gone = property(raising(ObjectDoesNotExist("gone")))
    broken = property(raising(ZeroDivisionError("broken")))
    method_attribute = raising(AttributeError("inside"))
    method_gone = raising(ObjectDoesNotExist("inside"))
    method_skips = raising(SkipField())


SOURCES = [
    "plain", "inner.name", "inner.none", "inner.none.more", "inner.nothing", "mapping.key.deep", "mapping.nothing",
    "none", "builtin", "partial", "proxy.name", "method", "with_default", "needs", "missing_attribute",
    "missing_key", "gone", "gone.more", "broken", "method_attribute", "method_gone", "method_skips", "nothing",
    "method.upper", "*",
]  # fmt: skip
OPTIONS: list[dict[str, Any]] = [
    {},
    {"default": "default"},
    {"default": lambda: "made"},
    {"required": False},
    {"allow_null": True},
    {"default": s.CreateOnlyDefault("create")},
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("options", OPTIONS, ids=["none", "default", "callable", "optional", "null", "create"])
def test_sources(source: str, options: dict[str, Any]) -> None:
    for field in (s.CharField, s.IntegerField, s.JSONField, s.SerializerMethodField, s.StringRelatedField):
        if field is s.SerializerMethodField:
            made = field()
        elif field is s.StringRelatedField:
            made = field(source=source)
        else:
            made = field(source=source, **options)
        body = {"a": made, "plain": s.CharField(), "get_a": lambda self, obj: str(type(obj))}
        kind = type("Sourced", (s.Serializer,), body)
        for instance in (Thing, lambda: {"inner": {"name": 1}, "plain": 2}, lambda: MappingProxyType({"plain": 1})):
            same(kind, instance())
            same(kind, [instance(), instance()], many=True)
            assert outcome(lambda: rust(kind)(instance(), partial=True).data) == outcome(
                lambda: kind(instance(), partial=True).data
            )


def test_an_attribute_is_read_once_also_where_it_fails() -> None:
    reads: list[str] = []

    class Watched:
        @property
        def value(self) -> str:
            reads.append("value")
            raise AttributeError("no value")

    class Out(RustSerializerMixin, s.Serializer[Any]):
        value = s.CharField(required=False)

    assert Out([Watched(), Watched()], many=True).data == [{}, {}]
    assert reads == ["value"] * 2


class Inner(s.Serializer[Any]):
    name = s.CharField()
    secret = s.CharField(write_only=True, default="s")


class Outer(s.Serializer[Any]):
    one = Inner(required=False)
    many = Inner(many=True, required=False)
    listed = s.ListField(child=Inner(), required=False)
    numbers = s.ListSerializer(child=s.IntegerField(), required=False)


ROW = {"name": "n", "secret": "hidden"}


@pytest.mark.parametrize(
    "instance",
    [
        {},
        {"one": ROW, "many": [ROW, ROW], "listed": [ROW, None], "numbers": [1, "2"]},
        {"one": None, "many": [], "numbers": None},
        {"one": {"name": None}, "many": [{}]},
        {"many": (row for row in [])},
        {"many": 5},
        {"numbers": ["x"]},
    ],
    ids=lambda value: str(value)[:40],
)
def test_nesting(instance: Any) -> None:
    both_ways(Outer, instance)
    both_ways(type("Mixed", (Outer,), {"one": rust(Inner)(required=False), "many": rust(Inner)(many=True)}), instance)
    assert "hidden" not in str(outcome(lambda: rust(Outer)(instance).data))


def test_return_types_link_back() -> None:
    one, many = rust(Outer)({"one": ROW}), rust(Outer)([{"one": ROW}], many=True)
    assert (type(one.data), type(many.data), type(many)) == (ReturnDict, ReturnList, s.ListSerializer)
    assert (one.data.serializer, many.data.serializer) == (one, many)
    assert type(many.data[0]) is type(many.data[0]["one"]) is dict


def test_write_only_never_leaks() -> None:
    made = rust(Inner)()
    made.to_representation(ROW)
    assert made.to_representation(ROW) == {"name": "n"}
    made.fields["secret"].write_only = False
    assert made.to_representation(ROW) == ROW
    made.fields["secret"].write_only = True
    assert made.to_representation(ROW) == {"name": "n"}
    assert b"hidden" not in to_json(rust(Inner)([ROW], many=True))


def test_fields_removed_added_and_changed_per_instance() -> None:
    class Dynamic(s.Serializer[Any]):
        a = s.CharField()
        b = s.DecimalField(5, 2)
        c = Inner()

        def __init__(self, *args: Any, drop: tuple[str, ...] = (), **options: Any) -> None:
            super().__init__(*args, **options)
            for name in drop:
                self.fields.pop(name)

    row = {"a": "a", "b": "1.5", "c": ROW, "d": 1}
    for drop in ((), ("a",), ("b", "c")):
        both_ways(Dynamic, row, drop=drop)
    plain, made = Dynamic(), rust(Dynamic)()
    for change in (
        lambda it: it.fields.__setitem__("d", s.IntegerField()),
        lambda it: setattr(it.fields["b"], "coerce_to_string", False),
        lambda it: it.fields["c"].fields.pop("name"),
        lambda it: it.fields["c"].fields.__setitem__("name", s.ReadOnlyField()),
        lambda it: it.fields.pop("a"),
    ):
        assert outcome(lambda: made.to_representation(row)) == outcome(lambda: plain.to_representation(row))
        change(plain)
        change(made)
    assert outcome(lambda: made.to_representation(row)) == outcome(lambda: plain.to_representation(row))


def test_fields_may_depend_on_the_context_or_the_row() -> None:
    class FromContext(s.Serializer[Any]):
        a = s.CharField()
        b = s.CharField()

        @property
        def fields(self) -> Any:  # type: ignore[override]
            fields = super().fields
            if self.context.get("only"):
                fields.pop("b", None)
            return fields

    class FromRow(s.Serializer[Any]):
        a = s.CharField()

        def to_representation(self, instance: Any) -> Any:
            self.fields["b"] = s.IntegerField() if instance["b"] == "1" else s.CharField()
            return {**super().to_representation(instance), "more": 1}

    class Readable(s.Serializer[Any]):
        a = s.CharField()
        b = s.CharField()

        @property
        def _readable_fields(self) -> Any:
            return [field for field in self.fields.values() if field.field_name == "b"]

    rows = [{"a": 1, "b": "1"}, {"a": 2, "b": "x"}, {"a": 3, "b": "1"}]
    for kind in (FromContext, FromRow, Readable):
        same(kind, rows, many=True)
        same(kind, rows, many=True, context={"only": True})
        nested = type("Nested", (s.Serializer,), {"rows": kind(many=True), "row": kind()})
        both_ways(nested, {"rows": rows, "row": rows[0]})
        both_ways(type("Nested", (s.Serializer,), {"rows": rust(kind)(many=True)}), {"rows": rows})


def test_overrides_above_and_below_the_mixin_run() -> None:
    class Base(s.Serializer[Any]):
        a = s.CharField()

        def to_representation(self, instance: Any) -> Any:
            return {"base": super().to_representation(instance)}

    class Above(Base):
        def to_representation(self, instance: Any) -> Any:
            return {"above": super().to_representation(instance)}

    for kind in (Base, Above):
        both_ways(kind, {"a": 1})
    between = type("Between", (Base, rust(Inner)), {})
    assert between({"a": 1, "name": "n"}).data == {"base": {"name": "n", "a": "1"}}


def test_methods_hooks_and_lists_of_its_own() -> None:
    class Reversed(s.ListSerializer[Any]):
        def to_representation(self, data: Any) -> Any:
            return super().to_representation(data)[::-1]

    class Own(s.Serializer[Any]):
        name = s.CharField()
        shout = s.SerializerMethodField()
        other = s.SerializerMethodField(method_name="shout_too")

        class Meta:
            list_serializer_class = Reversed

        def get_shout(self, row: Any) -> Any:
            return row["name"].upper() + self.context.get("end", "")

        def shout_too(self, row: Any) -> Any:
            return None

    rows = [{"name": "a"}, {"name": "b"}]
    same(Own, rows, many=True, context={"end": "!"})
    same(Own, [{"name": None}], many=True)
    same(type("Gone", (s.Serializer,), {"x": s.SerializerMethodField()}), {})
    assert [row["name"] for row in rust(Own)(rows, many=True).data] == ["b", "a"]


def test_a_serializer_that_nests_itself() -> None:
    class Node(s.Serializer[Any]):
        name = s.CharField()

        def get_fields(self) -> Any:
            return {**super().get_fields(), "children": type(self)(many=True)}

    both_ways(Node, {"name": 1, "children": [{"name": 2, "children": [{"name": 3, "children": []}] * 3}] * 2})
    cycle: dict[str, Any] = {"name": 1, "children": []}
    cycle["children"].append(cycle)
    with pytest.raises(RecursionError):
        rust(Node)([cycle, cycle], many=True).data  # noqa: B018
    made = rust(Node)()
    for _ in range(3):
        with pytest.raises(RecursionError):
            made.to_representation(cycle)


def test_after_validation_data_is_what_drf_gives() -> None:
    class Saved(s.Serializer[Any]):
        name = s.CharField(max_length=5)
        secret = s.CharField(write_only=True)

        def create(self, validated_data: Any) -> Any:
            return SimpleNamespace(**validated_data)

    for data in ({"name": "ok", "secret": "x"}, {"name": "too long", "secret": "x"}, {}, [], None):
        plain, made = Saved(data=data), rust(Saved)(data=data)
        assert outcome(lambda: made.data) == outcome(lambda: plain.data)
        assert made.is_valid() == plain.is_valid()
        assert (made.errors, made.validated_data) == (plain.errors, plain.validated_data)
        assert outcome(lambda: made.data) == outcome(lambda: plain.data)
        assert outcome(lambda: to_json(made)) == outcome(lambda: to_json(plain))
    made = rust(Saved)(data={"name": "ok", "secret": "x"})
    made.is_valid(raise_exception=True)
    assert made.save().name == "ok"
    assert made.data == {"name": "ok"}
    many = rust(Saved)(data=[{"name": "ok", "secret": "x"}], many=True)
    assert many.is_valid()
    assert many.data == [{"name": "ok"}]


def test_copies_stand_for_themselves() -> None:
    made = rust(Outer)()
    made.to_representation({"one": ROW})
    made.to_representation({"one": ROW})
    for copied in (copy.copy(made), copy.deepcopy(made)):
        copied.fields.pop("one")
        for _ in range(3):
            assert copied.to_representation({"one": ROW, "numbers": [1]}) == {"numbers": [1]}


def test_the_switch_reaches_existing_classes_and_goes_back() -> None:
    with installed():
        assert s.Serializer.to_representation is not REPRESENT
        install()
        assert Outer({"one": ROW}).data == {"one": {"name": "n"}}
    assert (s.Serializer.to_representation, s.ListSerializer.to_representation) == (REPRESENT, REPRESENT_LIST)
    uninstall()
    assert s.Serializer.to_representation is REPRESENT


def test_nothing_is_kept_alive() -> None:
    made = rust(Outer)()
    for _ in range(3):
        made.to_representation({"one": ROW, "many": [ROW, ROW]})
    many = rust(Outer)([{"one": ROW}] * 3, many=True)
    many.data  # noqa: B018
    dead = [weakref.ref(made), weakref.ref(many)]
    del made, many
    gc.collect()
    assert [reference() for reference in dead] == [None, None]


def test_an_empty_list_never_asks_for_fields() -> None:
    class Wrong(s.Serializer[Any]):
        def get_fields(self) -> Any:
            raise RuntimeError("fields")

    same(Wrong, [], many=True)
    same(Wrong, [{}, {}], many=True)


def test_annotations_are_never_evaluated() -> None:
    class Annotated(RustSerializerMixin, s.Serializer[Any]):
        name: Unknown = s.CharField()  # type: ignore[name-defined]  # noqa: F821

    assert Annotated([{"name": 1}] * 2, many=True).data == [{"name": "1"}] * 2
