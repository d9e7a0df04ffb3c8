"""Values of every field type: what hypothesis thinks of, and the extremes it might not."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

from django.db.models import JSONField, Value
from hypothesis import strategies as st

from tests.zoo import models as zoo
from tests.zoo.fields import Money

__all__ = ["edges_of", "values_of"]

_ODD: Final = (
    "",
    " ",
    "a",
    "Ångström",
    "日本語",
    "🦀🏳️‍🌈",
    "\u2028\u2029",
    "\x01\x1f\x7f\x80\x9f",
    "\t\n\r\b\f",
    "\"\\/'</script>&amp;",
    "e\u0301",
    "\ufeff\ufffe\uffff",
    "\U0010ffff",
    "{}",
    "null",
    "%s %% $1 ?1",
    "a" * 200,
    "\\u0041",
    "\ud7ff\ue000",
)
_WIDE: Final = Context(prec=100)
_MINUTE: Final = dt.timedelta(minutes=1)
_FIRST: Final = dt.datetime(1, 1, 3)
_LAST: Final = dt.datetime(9999, 12, 29, 23, 59, 59, 999999)
_INTEGERS: Final = {
    "small_integer": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "big_integer": (-(2**63), 2**63 - 1),
    "positive_small_integer": (0, 2**15 - 1),
    "positive_integer": (0, 2**31 - 1),
    "positive_big_integer": (0, 2**63 - 1),
    "small_auto": (-(2**15), 2**15 - 1),
    "auto": (-(2**31), 2**31 - 1),
    "big_auto": (-(2**63), 2**63 - 1),
    "generated_integer": (-(2**29), 2**29),
}
_FLOATS: Final = (
    0.0,
    -0.0,
    1.0,
    -1.5,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    1e16,
    1e17,
    1e21,
    1e22,
    1e-5,
    1e-7,
    0.1,
    1 / 3,
    123456789012345680.0,
    2.0**53,
    1e308,
)
_DURATIONS: Final = (
    dt.timedelta(),
    dt.timedelta(microseconds=1),
    dt.timedelta(microseconds=-1),
    dt.timedelta(days=1),
    dt.timedelta(days=-1),
    dt.timedelta(seconds=86399, microseconds=999999),
    dt.timedelta(days=106751990),
    dt.timedelta(days=-106751990),
    dt.timedelta(days=365, hours=5, microseconds=100),
)


def values_of(kind: str, vendor: str) -> st.SearchStrategy[Any]:
    """Values of a field type of the zoo.

    Parameters:
        kind: its name there.
        vendor: the database; PostgreSQL's text has no NUL.
    """
    if kind in _INTEGERS:
        return st.integers(*_INTEGERS[kind])
    if kind.startswith("array_of_"):
        return _array(kind.removeprefix("array_of_"), vendor)
    if kind.endswith("_range"):
        return _range(kind.removesuffix("_range"))
    if kind.startswith("decimal") or kind == "generated_decimal":
        return _decimals(kind, vendor)
    return _table(vendor)[kind]


def edges_of(kind: str, vendor: str) -> list[Any]:
    """Values that shall not be left to chance; parameters as for :func:`values_of`."""
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        return [low, high, 0, 1, low + 1]
    texts = [text for text in _ODD if "\0" not in text]
    table: dict[str, list[Any]] = {
        "float": list(_FLOATS),
        "boolean": [True, False],
        "duration": list(_DURATIONS),
        "text": [*texts, *(["a\0b"] if vendor == "sqlite" else [])],
        "char": texts,
        "citext": texts,
        "generated_text": ["ABC", "", "Ångström"],
        "upper": ["abc", ""],
        "binary": [b"", b"\0", bytes(range(256))],
        "uuid": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)],
        "date": [dt.date.min, dt.date.max, dt.date(2024, 2, 29), dt.date(1970, 1, 1), dt.date(1, 1, 1)],
        "time": [dt.time.min, dt.time.max, dt.time(12), dt.time(0, 0, 0, 1), dt.time(1, 2, 3, 100000)],
        "datetime": [_aware(moment) for moment in (_FIRST, _LAST, dt.datetime(1970, 1, 1), dt.datetime(1969, 12, 31))],
        "file": ["", "a b.png", "ä/ö.txt", "a?b#c&d=e.txt", "100%.txt", "a\\b.txt", "~!*()'", "/abs.txt"],
        "json": _json_edges(),
        "json_encoded": _json_edges(),
        "ip": ["0.0.0.0", "::", "::1", "::ffff:1.2.3.4", "::1.2.3.4", "fe80::1", "255.255.255.255", "2001:db8::1"],
        "integer_range": _range_edges(1, 5),
        "big_integer_range": _range_edges(-(2**62), 2**62),
        "decimal_range": _range_edges(Decimal("-1.50"), Decimal(10) ** 30),
        "date_range": _range_edges(dt.date(1, 1, 1), dt.date(9999, 12, 30)),
        "datetime_range": _range_edges(_aware(_FIRST), _aware(_LAST)),
        "hstore": [{}, {"": ""}, {"a": None, '"=>': "\\"}],
        "array_of_texts": [[], [None], ["", "NULL", "{}", '"', "\\", ","]],
        "array_of_arrays": [[], [[]], [[1, None], [2, 3]], [None]],
        "array_of_arrays_of_texts": [[], [[["a"], ["b"]], [["c"], ["d"]]]],
    }
    return table.get(kind, [])


@functools.cache
def _table(vendor: str) -> dict[str, st.SearchStrategy[Any]]:
    word = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", max_size=40)
    table: dict[str, st.SearchStrategy[Any]] = {
        "uuid_key": st.uuids(),
        "float": st.floats(allow_nan=False, allow_infinity=False, width=64),
        "boolean": st.booleans(),
        "char": text(vendor),
        "text": text(vendor, 2000),
        "citext": text(vendor),
        "generated_text": text(vendor),
        "slug": word,
        "email": st.builds("{}@{}.example".format, word, word),
        "url": st.builds("https://{}.example/{}".format, word, word),
        "uuid": st.uuids(),
        "date": st.dates(),
        "time": st.times(),
        "datetime": datetimes(),
        "duration": st.timedeltas(dt.timedelta(days=-106751990), dt.timedelta(days=106751990)),
        "binary": st.binary(max_size=300),
        "json": stored_jsons(vendor),
        "json_encoded": stored_jsons(vendor),
        "ip": st.ip_addresses().map(str),
        "ipv4": st.ip_addresses(v=4).map(str),
        "ipv6": st.ip_addresses(v=6).map(str),
        "ip_unpacked": st.ip_addresses().map(str),
        "file": file_names(),
        "image": file_names(),
        "file_path": st.sampled_from([str(path) for path in Path(zoo.__file__).parent.iterdir()]) | text(vendor),
        "integer_choice": st.sampled_from([-1, 2, 3]),
        "text_choice": st.sampled_from(["glad", "très triste", "", "unknown"]),
        "money": st.integers(-(2**63), 2**63 - 1).map(Money),
        "words": text(vendor).map(lambda words: words.split(" ")),
        "upper": text(vendor, 60),
        "hstore": st.dictionaries(text(vendor), st.none() | text(vendor), max_size=5),
    }
    return table


@functools.cache
def text(vendor: str, size: int = 150) -> st.SearchStrategy[str]:
    """Any text the database can hold."""
    lowest = 1 if vendor == "postgresql" else 0
    characters = st.characters(min_codepoint=lowest, exclude_categories=("Cs",))
    return st.text(characters, max_size=size) | st.sampled_from(_ODD).map(lambda odd: odd[:size])


@functools.cache
def datetimes() -> st.SearchStrategy[dt.datetime]:
    """Instants that every zone has a year for, seen from zones with odd offsets."""
    return st.datetimes(_FIRST, _LAST).map(_aware) | st.builds(
        lambda moment, minutes: moment.replace(tzinfo=dt.timezone(minutes * _MINUTE)),
        st.datetimes(_FIRST, _LAST),
        st.integers(-959, 959),
    )


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC)


@functools.cache
def jsons(vendor: str) -> st.SearchStrategy[Any]:
    """Any JSON value, deep, with integers of any size."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.integers(-(10**40), 10**40)
        | st.floats(allow_nan=False, allow_infinity=False)
        | text(vendor, 30)
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text(vendor, 10), inner, max_size=4),
        max_leaves=12,
    )


def _array(items: str, vendor: str) -> st.SearchStrategy[Any]:
    values: dict[str, st.SearchStrategy[Any]] = {
        "integers": st.none() | st.integers(-(2**63), 2**63 - 1),
        "floats": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(_FLOATS),
        "decimals": st.none() | st.integers(-(10**30) + 1, 10**30 - 1).map(lambda n: Decimal(n).scaleb(-8, _WIDE)),
        "booleans": st.none() | st.booleans(),
        "texts": st.none() | text(vendor, 30),
        "uuids": st.uuids(),
        "dates": st.dates(),
        "times": st.none() | st.times(),
        "datetimes": st.none() | datetimes(),
        "durations": st.sampled_from(_DURATIONS),
        "ips": st.ip_addresses().map(str),
        "jsons": jsons(vendor),
        "choices": st.sampled_from(["glad", "très triste"]),
        "hstores": st.dictionaries(text(vendor, 10), st.none() | text(vendor, 10), max_size=3),
    }
    if items == "arrays":
        return st.integers(0, 4).flatmap(lambda width: st.lists(_row(width), max_size=4))
    if items == "arrays_of_texts":
        short = st.text('ab,"{}\\ é', max_size=4)
        return st.lists(st.lists(st.lists(short, min_size=2, max_size=2), min_size=2, max_size=2), max_size=3)
    return st.lists(values[items], max_size=2 if items == "jsons" else 6)


def _row(width: int) -> st.SearchStrategy[list[int | None]]:
    return st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), min_size=width, max_size=width)


def _range(items: str) -> st.SearchStrategy[Any]:
    from django.db.backends.postgresql import psycopg_any as ranges

    low, high = _INTEGERS.get(items, (0, 0))
    class_, values = {
        # PostgreSQL writes discrete ranges as `[lower,upper)`, which needs a number after the last one.
        "integer": (ranges.NumericRange, st.integers(low, high - 1)),
        "big_integer": (ranges.NumericRange, st.integers(low, high - 1)),
        "decimal": (ranges.NumericRange, st.decimals(-(10**20), 10**20, places=5)),
        "date": (ranges.DateRange, st.dates(max_value=dt.date(9999, 12, 30))),
        "datetime": (ranges.DateTimeTZRange, datetimes()),
    }[items]
    bounds = st.sampled_from(["[]", "[)", "(]", "()"])
    return st.builds(
        lambda one, other, kind: class_(*_ordered(one, other), kind), st.none() | values, st.none() | values, bounds
    ) | st.builds(class_, empty=st.just(True))


def _ordered(one: Any, other: Any) -> tuple[Any, Any]:
    return (other, one) if one is not None and other is not None and other < one else (one, other)


def _range_edges(low: Any, high: Any) -> list[Any]:
    from django.db.backends.postgresql import psycopg_any as ranges

    class_ = ranges.NumericRange
    if isinstance(low, dt.date):
        class_ = ranges.DateTimeTZRange if isinstance(low, dt.datetime) else ranges.DateRange
    edges = [class_(None, None, bounds) for bounds in ("[]", "()", "[)")]
    edges += [class_(low, None, "[]"), class_(None, high, "(]"), class_(empty=True), class_(low, low, "()")]
    return [*edges, *(class_(low, high, bounds) for bounds in ("[]", "[)", "(]", "()"))]


@functools.cache
def stored_jsons(vendor: str) -> st.SearchStrategy[Any]:
    """As :func:`jsons`; a `None` of JSON is not the NULL of SQL."""
    return jsons(vendor).map(lambda value: Value(None, JSONField()) if value is None else value)


def _json_edges() -> list[Any]:
    deep: Any = "end"
    for _ in range(60):
        deep = {"a": [deep]}
    return [{}, [], "", 0, 10**100, -(10**100), 1e308, 5e-324, -0.0, 1.0, {"b": 1, "a": 2, "": None}, deep, list(_ODD)]


@functools.cache
def file_names() -> st.SearchStrategy[str]:
    """Names of stored files, with what URLs have to escape."""
    return st.text(st.sampled_from("abcÄ日./ %?#&=+:;@,!*()'~$[]\\\"<>|^`{}_-0"), max_size=40) | st.sampled_from(
        ["a/b.png", "", "ä/ö.txt", "a\\b", "x y/z?.jpg"]
    )


@functools.cache
def _decimals(kind: str, vendor: str) -> st.SearchStrategy[Decimal]:
    digits, places = {
        "decimal": (12, 3), "decimal_whole": (20, 0), "decimal_fraction": (5, 5), "decimal_long": (38, 10),
        "decimal_longest": (60, 30), "generated_decimal": (10, 3),
    }[kind]  # fmt: skip
    most = 10**digits - 1
    if vendor == "sqlite":
        # It keeps 15 significant digits; rounding to them must not need another digit.
        most = int(most * 0.999)
    scaled = st.integers(-most, most) | st.integers(-999, 999)
    return scaled.map(lambda unscaled: Decimal(unscaled).scaleb(-places, _WIDE))
