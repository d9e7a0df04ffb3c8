"""Rows to play with: the same ones every time, as each is made from its own number."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from random import Random

from catalog.models import Article, Author, Category, Comment, Tag

WORDS = [
    "amber",
    "river",
    "quiet",
    "letters",
    "naïve",
    "garden",
    "“quoted”",
    "winter",
    "日本",
    "machine",
    "paper",
    "under",
    "silver",
    "café",
    "engine",
    "morning",
    "history",
    "forest",
    "🌿",
    "small",
    "theory",
    "harbour",
    "light",
    "copper",
    "music",
    "northern",
    "bridge",
    "account",
    "märchen",
    "open",
    "window",
    "stone",
]
TAGS = [
    "art",
    "biology",
    "cooking",
    "data",
    "economics",
    "film",
    "geography",
    "history",
    "ideas",
    "jazz",
    "language",
    "maths",
    "nature",
    "physics",
    "travel",
]
SECTIONS = {
    "Science": ["Physics", "Biology", "Mathematics", "Medicine"],
    "Culture": ["Books", "Film", "Music", "Food"],
    "World": ["Europe", "Asia", "Africa", "Americas"],
}
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
AUTHORS = 200
COMMENTS_PER_ARTICLE = 2


def text(random: Random, words: int) -> str:
    """A sentence of that many words."""
    return " ".join(random.choices(WORDS, k=words)).capitalize()


def author(number: int) -> Author:
    """Author `number`, from 1."""
    random = Random(f"author {number}")
    return Author(
        name=text(random, 2),
        email=f"author{number}@example.com",
        bio=text(random, 20) + ".",
        country=random.choice(Author.Country.values),
        website=random.choice(["", f"https://example.com/~{number}"]),
        portrait=random.choice(["", f"portraits/author {number}.png"]),
        born=random.choice([None, dt.date(1940, 1, 1) + dt.timedelta(days=random.randrange(24_000))]),
        joined_at=START + dt.timedelta(hours=number, microseconds=number * 37),
        is_active=number % 10 != 0,
    )


def categories() -> list[tuple[Category, list[Category]]]:
    """Sections, each with its own."""
    return [
        (
            Category(name=section, slug=section.lower(), position=place),
            [Category(name=name, slug=name.lower(), position=inner) for inner, name in enumerate(names)],
        )
        for place, (section, names) in enumerate(SECTIONS.items())
    ]


def article(number: int, authors: list[int], leaves: list[int]) -> Article:
    """Article `number`, from 1, by one of `authors` in one of the categories `leaves` (primary keys)."""
    random = Random(f"article {number}")
    created = START + dt.timedelta(minutes=37 * number, microseconds=random.choice([0, number * 37]))
    live = random.random() < 0.7
    return Article(
        uid=uuid.UUID(int=random.getrandbits(128), version=4),
        author_id=random.choice(authors),
        category_id=random.choice([None, *leaves]),
        title=text(random, 6),
        slug=f"article-{number}",
        body=text(random, random.randint(30, 60)) + ".\n" + text(random, 10) + ".",
        status=Article.Status.LIVE if live else random.choice([Article.Status.DRAFT, Article.Status.ARCHIVED]),
        price=Decimal(random.randrange(100_000)) / 100,
        rating=random.choice([None, round(random.uniform(1, 5), 2)]),
        views=random.randrange(1_000_000),
        featured=number % 25 == 0,
        details={"words": random.randrange(300, 5000), "languages": random.sample(["en", "fr", "日本語"], k=2)},
        cover=random.choice(["", f"covers/{number} à la carte.jpg"]),
        reading_time=random.choice([None, dt.timedelta(seconds=random.randrange(60, 90_000))]),
        submitted_from=random.choice([None, f"192.0.2.{number % 256}", f"2001:db8::{number % 65_536:x}"]),
        published_on=created.date() if live else None,
        airs_at=random.choice([None, dt.time(random.randrange(24), random.randrange(60))]),
        created_at=created,
        updated_at=created + dt.timedelta(seconds=random.randrange(10_000_000)),
    )


def tags() -> list[Tag]:
    """All tags."""
    return [Tag(name=name, slug=name) for name in TAGS]


def tags_of(number: int, tags: list[int]) -> list[int]:
    """Which of `tags` article `number` carries."""
    random = Random(f"tags {number}")
    return random.sample(tags, k=random.randint(0, 4))


def comments(number: int, article: int) -> list[Comment]:
    """What readers say about article `number`, whose primary key is `article`."""
    random = Random(f"comments {number}")
    return [
        Comment(
            article_id=article,
            name=text(random, 2),
            email=random.choice(["", "reader@example.com"]),
            body=text(random, 12),
            stars=random.choice([None, 1, 2, 3, 4, 5]),
            approved=random.random() < 0.9,
            created_at=START + dt.timedelta(days=400, seconds=number * 60 + place),
        )
        for place in range(random.randint(0, 2 * COMMENTS_PER_ARTICLE))
    ]
