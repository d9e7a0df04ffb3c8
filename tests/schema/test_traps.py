"""What goes wrong elsewhere: each a promise of its own."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json
import zoneinfo
from typing import Annotated, Any

import pytest
from catalog.models import Article, Author, Category
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plectrum.schema import CompiledValidator, Field, InvalidError, Schema

NOW = datetime.datetime(2026, 11, 20, 12, 30, tzinfo=datetime.UTC)
#: More digits than a `decimal` context of Python's keeps.
LONG = "12345678901234567890123456789012345678.123456789012345678901234567895"
ANY: CompiledValidator[Any] = Schema.from_type(Any)  # type: ignore[arg-type]


class Secret(Schema):
    name: str
    password: str = Field(write_only=True)
    token: Annotated[str, Field(write_only=True)] = "t"


@dataclasses.dataclass
class Plain:
    name: str
    password: Annotated[str, Field(write_only=True)]


@pytest.mark.parametrize("cls", [Secret, Plain])
def test_write_only_fields_never_leak(cls: Any) -> None:
    compiled: CompiledValidator[Any] = CompiledValidator(cls)
    value = compiled.validate({"name": "Ada", "password": "secret"})
    assert value.password == "secret"
    shown = {"name": "Ada"}
    mapping = {"name": "Ada", "password": "secret"}
    for given in (value, mapping):
        assert compiled.serialize(given) == shown
        assert compiled.serialize_instance(given) == shown
        assert compiled.serialize_many([given]) == [shown]
        assert json.loads(compiled.serialize_to_bytes(given)) == shown
    assert json.loads(compiled.serialize_values_list([("Ada",)])) == [shown]
    holder = Schema({"one": Field(cls), "many": Field(list[cls]), "by": Field(dict[str, cls])})
    assert holder.serialize({"one": value, "many": [value], "by": {"a": value}}) == {
        "one": shown, "many": [shown], "by": {"a": shown},
    }  # fmt: skip
    # Nor where it is told what is wrong.
    with pytest.raises(InvalidError) as raised:
        compiled.validate({"password": "secret"})
    assert "secret" not in str(raised.value) + repr(raised.value.errors)


def test_decimals_of_any_length_keep_every_digit() -> None:
    schema = Schema({"price": decimal.Decimal})
    for value in (
        schema.validate({"price": LONG}),
        schema.validate({"price": decimal.Decimal(LONG)}),
        schema.validate_json(f'{{"price":{LONG}}}'),
        schema.validate_json(f'{{"price":"{LONG}"}}'),
    ):
        assert value == {"price": decimal.Decimal(LONG)}
        assert schema.serialize_to_bytes(value) == f'{{"price":"{LONG}"}}'.encode()
    exact = Schema({"price": Field(decimal.Decimal, max_digits=68, decimal_places=30, lt=decimal.Decimal(LONG))})
    below = LONG[:-1] + "4"
    assert exact.validate({"price": below}) == {"price": decimal.Decimal(below)}
    for price, code in ((LONG, "less_than"), (LONG + "1", "decimal_max_digits")):
        with pytest.raises(InvalidError) as raised:
            exact.validate({"price": price})
        assert [row["type"] for row in raised.value.errors] == [code]


@pytest.mark.parametrize("precision", [2, 28])
def test_the_decimal_context_changes_nothing(precision: int) -> None:
    schema = Schema({"price": Field(decimal.Decimal, multiple_of=decimal.Decimal("0.001"))})
    with decimal.localcontext() as context:
        context.prec = precision
        value = schema.validate({"price": "123456.789"})
        assert schema.serialize(value) == {"price": "123456.789"}


def test_key_order_and_integers_past_64_bits_are_kept() -> None:
    text = b'{"z":1,"a":{"y":[340282366920938463463374607431768211456],"b":null},"m":-9223372036854775809}'
    value = ANY.validate_json(text)
    assert ANY.serialize_to_bytes(value) == text
    assert Schema({"n": int}).validate_json(b'{"n":1180591620717411303424}') == {"n": 2**70}
    assert Schema({"n": int}).serialize_to_bytes({"n": -(2**70)}) == b'{"n":-1180591620717411303424}'


@pytest.mark.parametrize("error", [RuntimeError, AttributeError, KeyError, ValueError])
def test_exceptions_are_never_nulls_or_lost_rows(error: type[Exception]) -> None:
    def refuse(self: Any) -> str:
        raise error("the database is away")

    cls = type("Row", (), {"name": property(refuse), "size": 1})
    schema = Schema({"name": Field(str, required=False, null=True), "size": int})
    good = {"name": "a", "size": 1}
    for call, given in (
        (schema.serialize, cls()),
        (schema.serialize_instance, cls()),
        (schema.serialize_many, [good, cls()]),
        (lambda rows: schema.serialize_to_bytes(rows, many=True), [good, cls(), good]),
    ):
        with pytest.raises(error, match="the database is away"):
            call(given)

    def rows() -> Any:
        yield good
        raise error("the database is away")

    with pytest.raises(error, match="the database is away"):
        schema.serialize_many(rows())
    with pytest.raises(error, match="the database is away"):
        schema.validate_many(rows())


def test_an_error_of_a_check_is_the_users_own() -> None:
    def check(value: Any) -> None:
        raise LookupError(value)

    schema = Schema({"name": Field(str, validators=[check])})
    with pytest.raises(LookupError):
        schema.validate({"name": "Ada"})
    with pytest.raises(LookupError):
        schema.validate_json(b'{"name":"Ada"}')


@pytest.mark.django_db
class TestModels:
    @pytest.fixture
    def article(self) -> Article:
        author = Author.objects.create(name="Ada", email="ada@example.com", country="gb", joined_at=NOW)
        return Article.objects.create(
            author=author, title="On engines", slug="e", price=1, created_at=NOW, updated_at=NOW,
        )  # fmt: skip

    def test_deferred_columns_are_asked_for_by_nobody(self, article: Article) -> None:
        schema = Schema.from_model(Article, fields=["id", "title", "author"])
        for rows in (
            Article.objects.only("title", "author"),
            Article.objects.defer("body", "details"),
        ):
            shown = [{"id": article.pk, "title": "On engines", "author": article.author_id}]
            with CaptureQueriesContext(connection) as queries:
                assert schema.serialize_many(rows) == shown
            assert len(queries) == 1
        # What was left out of the queryset is still one statement, and not one per row.
        for rows in (Article.objects.only("slug"), Article.objects.defer("title")):
            with CaptureQueriesContext(connection) as queries:
                assert json.loads(schema.serialize_queryset(rows)) == shown
            assert len(queries) == 1

    def test_a_foreign_key_that_is_null(self, article: Article) -> None:
        root = Category.objects.create(name="a", slug="a")
        schema = Schema.from_model(Category, fields=["id", "parent"])
        nested = Schema.from_model(Category, fields=["id"], nested={"parent": schema})
        assert schema.serialize(root) == {"id": root.pk, "parent": None}
        assert nested.serialize(root) == {"id": root.pk, "parent": None}
        assert json.loads(nested.serialize_queryset(Category.objects.all())) == [{"id": root.pk, "parent": None}]
        assert json.loads(schema.serialize_queryset(Category.objects.all())) == [{"id": root.pk, "parent": None}]

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
    def test_aware_datetimes_are_shown_in_the_current_zone(self, article: Article, zone: str) -> None:
        schema = Schema.from_model(Author, fields=["joined_at"])
        author = Author.objects.get()
        with timezone.override(zoneinfo.ZoneInfo(zone)):
            shown = schema.serialize(author)["joined_at"]
            [row] = json.loads(schema.serialize_queryset(Author.objects.all()))
        assert row["joined_at"] == shown
        assert datetime.datetime.fromisoformat(shown) == NOW
        assert shown.endswith("Z" if zone == "UTC" else NOW.astimezone(zoneinfo.ZoneInfo(zone)).isoformat()[-6:])

    def test_a_rule_of_ones_own_stands_beside_the_models(self) -> None:
        own = Schema({"name": Field(str, max_length=3)})
        model = Schema.from_model(Author, fields=["name"])
        assert own.fields.keys() == model.fields.keys()
        with pytest.raises(InvalidError):
            own.validate({"name": "x" * 4})
        assert model.validate({"name": "x" * 4}) == {"name": "x" * 4}
