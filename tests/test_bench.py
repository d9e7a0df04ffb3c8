"""The benchmark's own arithmetic: ratios, the gate, what it writes. The measuring itself is `make bench`."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from bench.measure import gate, latency, picture, ratios, report

SVG = "{http://www.w3.org/2000/svg}"


def rounds(**servers: list[float]) -> dict[str, list[dict[str, Any]]]:
    """Measurements as `run.py` writes them, with so many microseconds of CPU."""
    usual = {"rps": 1000.0, "p99": "1.00ms", "failed": 0, "bytes": 27, "mib": 50.0}
    return {name: [{**usual, "cpu_us": cpu} for cpu in values] for name, values in servers.items()}


RESULTS = {
    "hello": rounds(limit=[10, 8, 9], us=[9, 12, 9.9], bolt=[11, 11, 11]),
    "q-one": rounds(limit=[20, 20, 20], us=[50, 60, 70], bolt=[500, 600, 700]),
}


def test_a_ratio_is_of_medians() -> None:
    assert ratios.ratio(RESULTS["hello"], "us") == pytest.approx(9.9 / 9)
    assert ratios.ratio(RESULTS["hello"], "drf") is None
    assert ratios.ratio(rounds(us=[1.0]), "us") is None


def test_the_least_ratio_is_of_the_best_rounds() -> None:
    assert ratios.least_ratio(RESULTS["hello"], "us") == pytest.approx(9 / 8)
    assert ratios.least_ratio(rounds(us=[1.0]), "us") is None


def test_the_spread_of_rounds() -> None:
    assert ratios.spread(RESULTS["hello"], "limit") == pytest.approx(2 / 9)


def test_the_gate_takes_what_is_within_the_tolerance() -> None:
    findings = gate.compare({"hello": 1.0, "q-one": 3.0}, gate.ratios(RESULTS))
    assert [(finding.endpoint, finding.now) for finding in findings] == [("hello", 1.125), ("q-one", 2.5)]
    assert not any(finding.fails(0.15) for finding in findings)
    assert findings[1].line(0.15) == "q-one        3.00 →   2.50    -17%   better"


def test_the_gate_fails_on_a_regression() -> None:
    (finding,) = gate.compare({"hello": 0.9}, gate.ratios(RESULTS))
    assert finding.fails(0.15)
    assert finding.line(0.15) == "hello        0.90 →   1.12    +25%   REGRESSION"


def test_the_gate_fails_where_an_endpoint_is_not_measured_any_more() -> None:
    (finding,) = gate.compare({"page": 0.7}, gate.ratios(RESULTS))
    assert finding.fails(10.0)
    assert finding.line(0.15).endswith("no right answer any more   FAILED")


def test_a_new_endpoint_does_not_fail_the_gate() -> None:
    assert gate.compare({}, gate.ratios(RESULTS)) == []


def test_what_wrk_says_is_read() -> None:
    out = "Running 3s test\n  1 threads\nmeasured 30000 3000000 1500 4000 9100 2\n"
    assert latency._cell("us", "one", 50, out) == latency.Cell("us", "one", 50, 10_000.0, (1.5, 4.0, 9.1), 2)


def test_a_wrk_that_says_nothing_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="unable to connect"):
        latency._cell("us", "one", 50, "unable to connect to 127.0.0.1:8107")


def test_the_report_has_every_number() -> None:
    cells = [
        latency.Cell("us", "one", 100, 9_000.0, (1.0, 2.0, 3.5), 0),
        latency.Cell("limit", "hello", 50, 99_000.0, (0.5, 1.0, 1.5), 1),
    ]
    text = report.write({"date": "2026-11-20", "commit": "abc"}, RESULTS, cells, 3, 5)
    assert "| endpoint | what | way | Rust by hand | Plectrum | django-bolt |" in text
    assert "| hello | constant JSON | object | 1.00 | **1.10** | 1.22 |" in text
    assert "| q-one | one row | queryset | 1.00 | **3.00** | 30.0 |" in text
    assert "| date | 2026-11-20 |" in text
    first, second = (line for line in text.splitlines() if line.startswith(("| hello | 50", "| one | 100")))
    assert first == "| hello | 50 | Rust by hand | 99,000 | 0.5 | 1.0 | 1.5 | 1 |"
    assert second == "| one | 100 | Plectrum | 9,000 | 1.0 | 2.0 | 3.5 | 0 |"
    assert "- 1 requests failed." in text


def test_a_server_without_an_endpoint_leaves_its_cell_empty() -> None:
    text = report.write({}, {**RESULTS, "typed": rounds(limit=[9.0], us=[9.0])}, [], 1, 1)
    assert "| typed | path and query parameters | object | 1.00 | **1.00** | - |" in text


def test_the_picture_is_well_formed_and_to_scale() -> None:
    root = ElementTree.fromstring(picture.draw(RESULTS, "2026-11-20 <abc>"))
    circles = {
        title.text: float(circle.get("cx", "0"))
        for circle in root.iter(f"{SVG}circle")
        if (title := circle.find(f"{SVG}title")) is not None
    }
    assert circles.keys() == {"Plectrum: 1.10", "django-bolt: 1.22", "Plectrum: 3.00", "django-bolt: 30.00"}
    # Logarithmic: ten times as much is the same distance everywhere.
    (one,) = (float(line.get("x1", "0")) for line in root.iter(f"{SVG}line") if line.get("class") == "limit")
    assert one < circles["Plectrum: 1.10"] < circles["django-bolt: 1.22"] < circles["Plectrum: 3.00"]
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "2026-11-20 <abc>" in texts
    assert "Rust by hand = 1" in texts


def test_every_peer_of_the_picture_has_a_name() -> None:
    assert picture._COLOURS.keys() <= report.NAMES.keys()


def test_servers_that_answered_too_little_are_not_judged() -> None:
    few = rounds(limit=[9.0], drf=[9.0])
    few["drf"][0]["rps"] = 30.0
    kept = ratios.meaningful({"1000": few}, 3)
    assert kept["1000"].keys() == {"limit"}
    assert ratios.meaningful({"1000": few}, 4)["1000"].keys() == {"limit", "drf"}
    assert "| 1.00 | - |" in report.write({}, {**kept, "hello": rounds(limit=[9.0], drf=[9.0])}, [], 1, 3)
