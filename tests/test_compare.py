"""The gate between two revisions: what is a regression and what is not. Measuring itself is `make bench-gate`."""

from __future__ import annotations

import itertools
import random
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.compare import history, table, trees
from bench.compare.__main__ import compare
from bench.compare.judge import Measure, judge, parse

SVG = "{http://www.w3.org/2000/svg}"


def measurer(times: dict[str, float], noise: float, seed: int) -> Callable[[], dict[str, float]]:
    """A measurement that takes `times`, and now and then longer by up to `noise`."""
    source = random.Random(seed)
    return lambda: {name: value * (1 + noise * source.random() ** 3) for name, value in times.items()}


TIMES = {f"measure {n} [ns]": 10.0 * (n + 1) for n in range(40)} | {"memory [MiB]": 60.0}


def test_no_change_passes_ten_times_running() -> None:
    for seed in range(10):
        measures = compare(measurer(TIMES, 0.4, seed), measurer(TIMES, 0.4, 100 + seed), 6)
        assert [measure for measure in measures if measure.fails] == []


@pytest.mark.parametrize("slower", [1.3, 1.5, 3.0])
def test_a_planted_slowdown_is_caught(slower: float) -> None:
    for seed in range(10):
        planted = TIMES | {"measure 7 [ns]": TIMES["measure 7 [ns]"] * slower}
        measures = compare(measurer(TIMES, 0.4, seed), measurer(planted, 0.4, 100 + seed), 6)
        assert [measure.name for measure in measures if measure.fails] == ["measure 7"]


def test_memory_is_held_too() -> None:
    measures = compare(measurer(TIMES, 0.0, 1), measurer(TIMES | {"memory [MiB]": 72.0}, 0.0, 2), 2)
    assert [(measure.name, measure.unit) for measure in measures if measure.fails] == [("memory", "MiB")]


def test_what_looks_worse_is_looked_at_again() -> None:
    calls = itertools.count()

    def at_first_slow() -> dict[str, float]:
        return {"a [ns]": 20.0 if next(calls) < 3 else 10.0}

    [measure] = compare(lambda: {"a [ns]": 10.0}, at_first_slow, 3)
    assert (measure.head, measure.verdict) == (10.0, "same")
    assert next(calls) == 6


def test_verdicts() -> None:
    measures = judge(
        {"a [ns]": [10, 10.5, 12], "b [ns]": [10], "c [ns]": [10]}, {"a [ns]": [11.4], "b [ns]": [8], "d [ns]": [1]}
    )
    assert [(measure.name, measure.verdict) for measure in measures] == [
        ("a", "same"),  # worse by 14 %, and good rounds lie 5 % apart
        ("b", "better"),
        ("d", "new"),
        ("c", "gone"),
    ]
    assert measures[0].spread == pytest.approx(0.05)
    assert Measure("a", "ns", 10, 11.2).fails
    assert not Measure("a", "ns", 10, 11.2, tolerance=0.15).fails


def test_lines_of_every_program_are_read() -> None:
    said = """\
text 5                      11.2 ns   serde_json    20.1   0.56 times
serde_json::Value   300.0 ns
UTC: 124 ns per row (470 bytes of JSON each)
every field, jsonb          1000 rows      500 MB/s
hello, CPU per request 9.125 us
memory of the server 45.0 MiB
something else
"""
    assert parse(said) == {
        "text 5 [ns]": 11.2,
        "UTC [ns]": 124.0,
        "every field, jsonb 1000 rows [ps/B]": 2000.0,
        "hello, CPU per request [us]": 9.125,
        "memory of the server [MiB]": 45.0,
    }


MEASURES = [
    Measure("quick", "ns", 10, 10.1, 0.01),
    Measure("slow", "us", 10, 15, 0.02),
    Measure("new one", "ns", None, 3),
]


def test_the_table_in_a_terminal() -> None:
    assert table.text(MEASURES).splitlines() == [
        "measure   before    after  change  spread",
        "quick    10.0 ns  10.1 ns   +1.0%    1.0%",
        "slow     10.0 us  15.0 us  +50.0%    2.0%  REGRESSION",
        "new one        -   3.0 ns                  new",
    ]


def test_the_table_of_a_pull_request() -> None:
    text = table.markdown(MEASURES, "abc against def")
    assert text.startswith("### Benchmarks: **1 worse than allowed**\n\nabc against def\n\n| measure | before |")
    changed, _, everything = text.partition("<details>")
    assert "| slow | 10.0 us | 15.0 us | +50.0% | 2.0% | REGRESSION |" in changed
    assert "quick" not in changed
    assert "quick" in everything
    assert table.markdown(MEASURES[:1], "x").startswith("### Benchmarks: No regression")


def test_history_is_kept_and_drawn(tmp_path: Path) -> None:
    file = tmp_path / "history" / "runs.jsonl"
    for run in range(3):
        measures = [Measure("a <b>", "ns", 1, 2 + run), Measure("gone", "ns", 1, None)]
        history.remember(file, {"date": f"day {run}"}, measures)
    runs = history.read(file)
    assert [run["values"] for run in runs] == [{"a <b> [ns]": 2}, {"a <b> [ns]": 3}, {"a <b> [ns]": 4}]
    picture = ElementTree.fromstring(history.draw(runs))
    [curve] = picture.iter(f"{SVG}polyline")
    assert len(curve.attrib["points"].split()) == 3
    assert [text.text for text in picture.iter(f"{SVG}text")][1:] == ["a <b> [ns]", "2.0 to 4.0, now 4.0"]


def test_the_other_revision_gets_a_directory_that_goes(tmp_path: Path) -> None:
    inside = subprocess.run(["git", "rev-parse", "HEAD"], cwd=trees.ROOT, capture_output=True, text=True)
    if inside.returncode:
        pytest.skip("not a Git work tree")
    with trees.both("HEAD", "fast", tmp_path) as (base, head):
        assert head.root == trees.ROOT
        assert (base.root / "Cargo.toml").read_text() != ""
        root = base.root
    assert not root.exists()
    with pytest.raises(SystemExit, match="no-such-revision"), trees.both("no-such-revision", "fast", tmp_path):
        pass
