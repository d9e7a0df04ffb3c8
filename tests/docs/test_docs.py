"""Every code block of the README and of docs/ does what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog import seeding
from catalog.models import Article, Author, Category, Comment, Tag

from tests.docs.blocks import blocks, session

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
ARTICLES = 60


@pytest.fixture
def shop(db: None) -> None:
    """The sample shop, small."""
    authors = Author.objects.bulk_create(seeding.author(number) for number in range(1, 11))
    leaves: list[int] = []
    for section, inner in seeding.categories():
        section.save()
        for category in inner:
            category.parent = section
        leaves += [category.pk for category in Category.objects.bulk_create(inner)]
    tags = [tag.pk for tag in Tag.objects.bulk_create(seeding.tags())]
    keys = [author.pk for author in authors]
    articles = Article.objects.bulk_create(seeding.article(number, keys, leaves) for number in range(1, ARTICLES + 1))
    for number, article in enumerate(articles, 1):
        article.tags.set(seeding.tags_of(number, tags))
        Comment.objects.bulk_create(seeding.comments(number, article.pk))


@pytest.mark.django_db
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_blocks(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with session(tmp_path) as running:
        for block in blocks(path):
            running.run(block)


def test_shown_output_is_compared(tmp_path: Path) -> None:
    document = tmp_path / "wrong.md"
    document.write_text("```console\n$ echo one\ntwo\n```\n")
    [block] = blocks(document)
    with session(tmp_path) as running, pytest.raises(AssertionError, match=r"wrong\.md:2: echo one"):
        running.run(block)
