"""Change feeds, as they are declared; `contract/test_feeds.py` listens to them."""

from __future__ import annotations

import pytest
from catalog.models import Article

from plectrum import API, ConfigurationError


def keys(*filters: str, fields: list[str] | None = None) -> tuple[str, ...]:
    api = API()
    api.feed(Article, filters=filters, fields=fields)
    feed = api.routes[0].feed
    assert feed is not None
    return feed.keys


def test_filters_compare_what_rows_show() -> None:
    assert keys("author_id", "status") == ("author", "status")
    assert keys("pk", "author", fields=["id", "author"]) == ("id", "author")


@pytest.mark.parametrize(("name", "fields"), [("author__country", None), ("status", ["id", "title"])])
def test_what_rows_do_not_show_is_no_filter(name: str, fields: list[str] | None) -> None:
    with pytest.raises(ConfigurationError, match=rf"test_feeds\.py:\d+: filters= names '{name}', which the rows"):
        keys(name, fields=fields)
