"""The shape cache: a hit gives the SQL, the values and the rows that compiling afresh would give."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from catalog.models import Article, Author, Comment
from django.core.exceptions import EmptyResultSet, FieldError
from django.db import DatabaseError, connections
from django.db.models import CharField, Count, Exists, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Lower, TruncMonth, Upper
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plectrum.errors import PlanError
from plectrum.orm import Count as CountOf
from plectrum.orm import Exists as ExistsOf
from plectrum.orm import One, Page, leaf
from plectrum.orm.operation import plan_result
from plectrum.orm.shape import ShapeCache
from tests.orm.interpret import answer
from tests.project.models import EveryField

pytestmark = pytest.mark.django_db(databases="__all__")

texts = st.sampled_from(["", "live", "draft", "Article 1", "100%_x", "\\", "'", '"', "日本", "%s", "$1", "Anaïs", "%%"])
integers = st.one_of(
    st.integers(-3, 120), st.sampled_from([2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**70)])
)
moments = st.sampled_from(
    [
        dt.datetime(2026, 1, 4, 3, 4, 5, 678901, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 6, 5, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))),
        dt.datetime(1, 1, 2, tzinfo=dt.UTC),
    ]
)
dates = st.dates(dt.date(2025, 12, 30), dt.date(2026, 1, 15))
decimals = st.sampled_from(
    [Decimal("1.5"), Decimal("1.50"), Decimal(0), Decimal("-0.00"), Decimal("4.5"), Decimal("1E+2")]
)
floats = st.sampled_from([0.0, -0.0, 1.0, 2.5, 1e300, 3.0])
booleans = st.booleans()

#: Lookup → its values. One program draws several values for the same place.
LOOKUPS: dict[str, st.SearchStrategy[Any]] = {
    "pk": integers,
    "id__in": st.lists(integers, max_size=4, unique=True),
    "author": integers,
    "author_id__in": st.lists(st.one_of(integers, st.none()), max_size=3, unique=True),
    "author__name": texts,
    "author__name__iexact": texts,
    "author__name__in": st.lists(texts, max_size=3, unique=True),
    "category": st.one_of(st.none(), integers),
    "category__parent__name": texts,
    "tags__name": texts,
    "comments__stars__gte": integers,
    "title__contains": texts,
    "title__icontains": texts,
    "title__startswith": texts,
    "title__iendswith": texts,
    "title__lt": texts,
    "status": st.one_of(texts, st.none()),
    "views": st.one_of(integers, floats, booleans, st.just("7")),
    "views__gt": integers,
    "views__gte": st.one_of(integers, floats),
    "views__lt": integers,
    "views__range": st.tuples(integers, integers),
    "price": st.one_of(decimals, integers),
    "price__lte": decimals,
    "rating__gt": floats,
    "rating__isnull": booleans,
    "featured": booleans,
    "uid": st.sampled_from([uuid.UUID(int=1), uuid.UUID(int=2), str(uuid.UUID(int=3))]),
    "created_at__gte": moments,
    "created_at__date": dates,
    "created_at__year": st.integers(2024, 2027),
    "published_on": dates,
    "published_on__lt": st.one_of(dates, moments),
    "reading_time__gte": st.timedeltas(dt.timedelta(0), dt.timedelta(days=9)),
    "details__name": texts,
    "title__regex": st.sampled_from(["1", "^A", "x$"]),
}

Step = Callable[[QuerySet[Any], Any], QuerySet[Any]]


def _annotations(value: Any) -> dict[str, Any]:
    comments = Comment.objects.filter(article=OuterRef("pk"), stars__gte=value)
    return {
        "plus": F("views") + value,
        "const": Value(value),
        "n": Count("comments", filter=Q(comments__stars__lt=value)),
        "latest": Subquery(comments.order_by("-id").values("name")[:1]),
        "any": Exists(comments),
        "upper": Upper("title"),
        "month": TruncMonth("published_on"),
        "rated": Coalesce("rating", float(value)),
        "best": Max("comments__stars"),
    }


def steps() -> st.SearchStrategy[tuple[str, Step, st.SearchStrategy[Any]]]:
    """A step of a program: its name, what it does with a value, and its values."""
    nothing = st.none()
    small = st.integers(0, 5)
    lookups = [(f"filter {k}", lambda q, v, k=k: q.filter(**{k: v}), s) for k, s in LOOKUPS.items()]
    excludes = [(f"exclude {k}", lambda q, v, k=k: q.exclude(**{k: v}), s) for k, s in LOOKUPS.items()]
    either = [
        (f"either {k}", lambda q, v, k=k: q.filter(Q(**{k: v}) | ~Q(views__gt=30)), s) for k, s in LOOKUPS.items()
    ]
    annotated = [
        (f"annotate {k}", lambda q, v, k=k: q.annotate(**{k: _annotations(v)[k]}), small) for k in _annotations(1)
    ]
    shapes: list[tuple[str, Step, st.SearchStrategy[Any]]] = [
        ("having", lambda q, v: q.annotate(m=Count("tags")).filter(m__gte=v), small),
        ("lower", lambda q, v: q.annotate(l=Lower("title")).filter(l=v), texts),
        ("order", lambda q, v: q.order_by("-views", "id"), nothing),
        ("order by author", lambda q, v: q.order_by("author__name", F("rating").desc(nulls_last=True), "id"), nothing),
        ("random order", lambda q, v: q.order_by(Lower("title").desc(), "pk"), nothing),
        ("distinct", lambda q, v: q.distinct(), nothing),
        ("related", lambda q, v: q.select_related("author", "category__parent"), nothing),
        ("only", lambda q, v: q.only("title", "author"), nothing),
        ("defer", lambda q, v: q.defer("body"), nothing),
        ("reverse", lambda q, v: q.order_by("id").reverse(), nothing),
        ("none", lambda q, v: q.none() if v else q, booleans),
        ("prefetch", lambda q, v: q.prefetch_related("comments", "author"), nothing),
        (
            "prefetch some",
            lambda q, v: q.prefetch_related(Prefetch("comments", Comment.objects.filter(stars=v), to_attr="some")),
            small,
        ),
        ("self", lambda q, v: q.filter(views__gt=F("id") * 2), nothing),
        ("among", lambda q, v: q.filter(author__in=Author.objects.filter(name__contains=v)), texts),
    ]
    return st.sampled_from([*lookups, *lookups, *excludes, *either, *annotated, *shapes])


ENDINGS: list[tuple[str, Step, st.SearchStrategy[Any]]] = [
    ("as it is", lambda q, v: q, st.none()),
    ("values", lambda q, v: q.values("id", "title", "author__name"), st.none()),
    ("list", lambda q, v: q.values_list("title", flat=True), st.none()),
    ("slice", lambda q, v: q[v[0] : v[0] + v[1]], st.tuples(st.integers(0, 3), st.integers(0, 4))),
    ("from", lambda q, v: q[v:], st.integers(0, 4)),
    ("to", lambda q, v: q[:v], st.integers(0, 4)),
]


@st.composite
def programs(draw: st.DrawFn) -> list[Callable[[], QuerySet[Any]]]:
    """Three builds of one program with different values."""
    chosen = [*draw(st.lists(steps(), max_size=4, unique_by=lambda step: step[0])), draw(st.sampled_from(ENDINGS))]
    rounds = [[draw(values) for _, _, values in chosen] for _ in range(3)]

    def build(values: list[Any]) -> QuerySet[Any]:
        queryset: QuerySet[Any] = Article.objects.all()
        for (_, step, _), value in zip(chosen, values, strict=True):
            queryset = step(queryset, value)
        return queryset

    return [lambda values=values: build(values) for values in rounds]


CACHE = ShapeCache()


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(builds=programs())
def test_a_hit_is_a_fresh_compile(shop: str, builds: list[Callable[[], QuerySet[Any]]]) -> None:
    for build in builds:
        try:
            queryset = build().using(shop)
        except (TypeError, ValueError):
            continue  # Django refuses to build it: None in a comparison
        if not _compiles(queryset):
            with pytest.raises(PlanError):
                CACHE.plan(queryset)
            continue
        cached = CACHE.plan(queryset)
        fresh = plan_result(queryset)
        found = _outcome(cached.operation, cached.arguments)
        assert found == _outcome(fresh, [])
        if shop == "sqlite":  # there the lists of IN are Django's, so the SQL is the same to the letter
            assert _sql(cached.operation, cached.arguments) == _sql_of_django(queryset)
        if cached.operation.backend == "rust" and found is not OverflowError:
            assert answer(cached.operation, cached.arguments) == found


def _compiles(queryset: QuerySet[Any]) -> bool:
    try:
        queryset.query.get_compiler(queryset.db).as_sql()
    except EmptyResultSet:
        return True
    except (FieldError, NotImplementedError, DatabaseError, TypeError, ValueError):
        return False  # deferred and joined at once, an aggregate under DISTINCT ON, …
    return True


def _outcome(operation: Any, arguments: list[Any]) -> Any:
    try:
        return answer(operation, arguments, backend="django")
    except (OverflowError, PlanError):  # SQLite: an integer past 64 bits, which Django lets through for foreign keys
        return OverflowError


def _sql(operation: Any, arguments: list[Any]) -> Any:
    if not operation.queries:
        return None
    sql, params = operation.queries[0].statement.for_django(arguments)
    return _written(sql, params)


def _sql_of_django(queryset: QuerySet[Any]) -> Any:
    try:
        return _written(*queryset.query.get_compiler(queryset.db).as_sql())
    except EmptyResultSet:
        return None


def _written(sql: str, params: Any) -> str:
    return sql % tuple(value if type(value) is int else repr(value) for value in params)


def test_hits_happen(shop: str) -> None:
    cache = ShapeCache()
    for pk in range(10):
        cache.plan(Article.objects.using(shop).filter(pk=pk, title__icontains=f"t{pk}").exclude(author__in=[pk, 1, 2]))
    for page in range(10):
        cache.plan(Article.objects.using(shop).order_by("id")[page * 10 : page * 10 + 10 + page])
    assert (cache.hits, cache.misses) == (17, 3)


def test_results_of_every_kind_share(shop: str) -> None:
    cache = ShapeCache()
    articles = Article.objects.using(shop)
    for views in (10, 50):
        rows = articles.filter(views__lte=views)
        first, second = ([*_answer(cache, kind(rows))] for kind in (CountOf, ExistsOf))
        assert first == [rows.count()]
        assert second == [True]
        found = _answer(cache, Page(rows, number=1, size=3))[0]
        assert found["count"] == rows.count()
        assert [row["id"] for row in found["results"]] == [row.pk for row in rows[:3]]
        assert _answer(cache, One(rows.filter(views=views)))[0]["views"] == views
    assert _answer(cache, One(articles.filter(views=11))) == ["404"]
    assert cache.misses == 5  # Count, Exists, Page and One, and One with one filter more
    assert cache.hits >= 4


def _answer(cache: ShapeCache, result: Any) -> list[Any]:
    planned = cache.plan(result)
    return [answer(planned.operation, planned.arguments)]


@pytest.mark.parametrize(
    "build",
    [
        lambda: Article.objects.extra(where=["1 = 1"]),
        lambda: Article.objects.order_by().filter(pk=1).union(Article.objects.order_by().filter(pk=2)),
        lambda: Article.objects.filter(pk__in=Article.objects.extra(where=["1=1"]).values("pk")),
    ],
)
def test_what_is_not_known_is_compiled_afresh(shop: str, build: Any) -> None:
    cache = ShapeCache()
    assert not cache.plan(build().using(shop)).operation.shared
    assert cache.entries == {}


def test_values_that_change_the_sql_are_in_the_key(shop: str) -> None:
    cache = ShapeCache()
    rows = Article.objects.using(shop)
    for value in (True, False):
        cache.plan(rows.filter(featured=value))
    for value in (1, 2**40, None):
        cache.plan(rows.filter(views=value))
    for value in (Decimal("1.0"), Decimal("1.00")):
        cache.plan(rows.annotate(x=Value(value)))
    for zone in ("UTC", "Asia/Kathmandu"):
        with timezone.override(zone):
            cache.plan(rows.filter(created_at__date=dt.date(2026, 1, 1)))
    assert cache.misses == 9
    assert cache.hits == 0


def test_cache_is_bounded(shop: str) -> None:
    cache = ShapeCache(4)
    for value in range(10):
        cache.plan(Article.objects.using(shop).annotate(x=Value(value)))
    assert len(cache.entries) == 4


def test_equal_ids_of_other_objects_cannot_be_taken_for_the_same(shop: str) -> None:
    """The key holds identities of fields, so the entry holds the fields."""
    cache = ShapeCache()
    cache.plan(EveryField.objects.using(shop).filter(integer=1))
    (entry,) = cache.entries.values()
    assert any(getattr(kept, "target", None) is EveryField._meta.get_field("integer") for kept in entry.kept)


def test_a_manager_that_changes_its_mind_is_asked_each_time(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ShapeCache()
    tenant = [1]
    manager = type(Comment._default_manager)
    custom = type(
        "Tenanted", (manager,), {"get_queryset": lambda self: manager.get_queryset(self).filter(stars=tenant[0])}
    )
    monkeypatch.setattr(Comment._default_manager, "__class__", custom)
    articles = Article.objects.using(shop).prefetch_related("comments")
    for tenant[0] in (1, 2, 1):
        planned = cache.plan(articles)
        comments = [c for row in answer(planned.operation, planned.arguments) for c in row["comments"]]
        assert {comment["stars"] for comment in comments} <= {tenant[0]}


def test_connection_is_not_opened_by_planning() -> None:
    """Planning runs no query, so it needs no connection."""
    cache = ShapeCache()
    connection = connections["sqlite"]
    before = len(connection.queries)
    cache.plan(Article.objects.using("sqlite").filter(pk=1).prefetch_related("tags"))
    assert len(connection.queries) == before


def test_fields_made_for_a_query_do_not_pile_up(shop: str) -> None:
    cache = ShapeCache()

    def plan(title: str) -> None:
        named = Article.objects.using(shop).annotate(name=Cast("title", CharField()))
        cache.plan(named.filter(name__contains=title, author_id=1))

    plan("a")
    known = len(leaf._rules)
    for title in "bcdef":
        plan(title)
    assert (len(leaf._rules), cache.misses) == (known, 1)
