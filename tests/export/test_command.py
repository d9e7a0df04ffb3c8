"""`plectrum export` as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from catalog.models import Article
from django.core.management import CommandError, call_command
from django.db import connection

from plectrum.progress import Bar
from tests.export.conftest import ARTICLES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("shop")]


def exported(path: Path, *options: str) -> str:
    call_command("plectrum", "export", "catalog.Article", "--output", str(path), *options)
    return path.read_text()


def test_a_file_of_each_format(tmp_path: Path) -> None:
    rows = json.loads(exported(tmp_path / "a.json"))
    assert [row["title"] for row in rows] == list(Article.objects.values_list("title", flat=True))
    assert len(exported(tmp_path / "a.ndjson", "--format", "ndjson").splitlines()) == ARTICLES
    text = exported(tmp_path / "a.csv", "--format", "csv", "--fields", "id, author__name", "--batch", "3")
    assert list(csv.DictReader(io.StringIO(text)))[3]["author__name"] == Article.objects.all()[3].author.name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.json", "a.ndjson"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["catalog.Artikle"], "There is no model 'catalog.Artikle'. Did you mean 'catalog.Article'?"),
        (["catalog.Article", "--fields", "id,nope"], "--fields: Cannot resolve keyword 'nope'"),
        (
            ["catalog.Article", "--database", "other"],
            "There is no database 'other'. DATABASES has 'default', 'sqlite'.",
        ),
        (["catalog.Article", "--output", "/nowhere/a.json"], "'/nowhere/a.json' cannot be written: No such file"),
        (["catalog.Article", "--batch", "0"], "batch is 0"),
    ],
)
def test_mistakes_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message.replace("?", r"\?")):
        call_command("plectrum", "export", *arguments)


@pytest.mark.postgresql
def test_a_pipe_gets_the_bytes_and_a_failure_its_status(tmp_path: Path) -> None:
    name = connection.settings_dict["NAME"]
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.project.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    run = f"""
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
django.setup()
from plectrum.cli import main
sys.exit(main(sys.argv[1:]))
"""

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", run, "export", *arguments], env=environ, capture_output=True, text=True
        )

    done = command("catalog.Article", "--format", "ndjson", "--batch", "5")
    assert (done.returncode, done.stderr) == (0, "")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == ARTICLES
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_article SET rating = 'NaN' WHERE id = (SELECT max(id) FROM catalog_article)")
    whole = tmp_path / "all.csv"
    failed = command("catalog.Article", "--format", "csv", "--batch", "5", "--output", str(whole))
    assert failed.returncode == 1
    assert "The export broke off after 20 rows: column" in failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_bar_shows_how_far_and_how_fast() -> None:
    out = io.StringIO()
    bar = Bar("catalog.Article", 10, out)
    bar.draw(5)
    bar.draw(6)  # too soon to be drawn
    bar.draw(12)
    bar.end()
    drawn = out.getvalue().split("\r")[1:]
    assert len(drawn) == 2
    assert " 5 / 10  " in drawn[0]
    assert drawn[0].count("█") == drawn[0].count("░") or abs(drawn[0].count("█") - drawn[0].count("░")) == 1
    assert " 12 / 12  " in drawn[1]
    assert drawn[1].endswith(" s\n")
