"""Each claim of `docs/comparison.md` stands on a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ROWS = [line for line in (DOCS / "comparison.md").read_text().splitlines() if line.startswith("| ") and "[yes]" in line]
LINK = re.compile(r'\| \[yes\]\((?P<path>\S+) "(?P<test>\w+)"\) \|')


def test_every_row_has_five_columns_and_one_link() -> None:
    assert len(ROWS) > 60
    for row in ROWS:
        assert len(LINK.findall(row)) == 1, row
        assert len(re.split(r"(?<!\\)\|", row.strip("|"))) == 6, row


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip()[:40] for row in ROWS])
def test_the_test_is_there(row: str) -> None:
    found = LINK.search(row)
    assert found is not None
    source = (DOCS / found["path"]).resolve()
    assert re.search(rf"^\s*(?:async def|def|class|fn) {found['test']}\b", source.read_text(), re.MULTILINE), found[0]
