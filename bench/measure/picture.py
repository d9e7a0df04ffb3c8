"""`ratios.svg`: every server's CPU per request over the hand-written one's, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from .ratios import LIMIT, US, Rounds, ratio
from .report import ENDPOINTS, NAMES

_LEFT, _TOP, _ROW, _WIDTH, _RIGHT = 256, 92, 30, 860, 40
_TITLE = "CPU per request over that of the same endpoint hand-written in Rust"
_TICKS = (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100)
#: Colours that keep apart on light and dark ground, and for colour-blind readers (Okabe and Ito).
_COLOURS = {"us": "#d55e00", "bolt": "#0072b2", "fastapi": "#009e73", "ninja": "#cc79a7", "drf": "#8a8a8a"}
_STYLE = """\
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.grid { stroke: #d1d9e0 } .row { stroke: #eaeef2 } .limit { stroke: #1f2328; stroke-width: 1.5; stroke-dasharray: 4 3 }
.small { font-size: 11px; fill: #59636e } .title { font-size: 15px; font-weight: 600 } .us { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .ground { fill: #0d1117; stroke: #3d444d } .grid { stroke: #3d444d } .row { stroke: #21262d }
  .limit { stroke: #f0f6fc } .small { fill: #9198a1 }
}"""


def draw(results: Mapping[str, Rounds], note: str) -> str:
    """The picture as SVG; ``note`` (date, commit) stands in its corner."""
    servers = [name for name in _COLOURS if any(ratio(of, name) for of in results.values())]
    values = [found for of in results.values() for name in servers if (found := ratio(of, name))]
    scale = _Scale(min([0.25, *values]), max([2.0, *values]))
    bottom = _TOP + _ROW * len(results)
    parts = [_axis(scale, bottom), _legend(servers)]
    parts += [
        _row(endpoint, of, servers, scale, _TOP + _ROW * n + _ROW / 2)
        for n, (endpoint, of) in enumerate(results.items())
    ]
    height = bottom + 52
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    lines = [
        f'{head} role="img" aria-label="{_TITLE}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="20" y="30">{_TITLE}</text>',
        '<text class="small" x="20" y="48">axum + tokio-postgres + serde = 1; less is better; logarithmic</text>',
        *parts,
        f'<text class="small" x="{_WIDTH - 20}" y="{height - 12}" text-anchor="end">{escape(note)}</text>',
        "</svg>\n",
    ]
    return "\n".join(lines)


class _Scale:
    """Ratios to positions, logarithmic."""

    def __init__(self, least: float, most: float) -> None:
        self.low, self.high = math.log(least * 0.9), math.log(most * 1.15)

    def __call__(self, value: float) -> float:
        share = (math.log(value) - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _RIGHT - _LEFT)

    def shows(self, value: float) -> bool:
        return self.low <= math.log(value) <= self.high


def _axis(scale: _Scale, bottom: int) -> str:
    parts = []
    for tick in filter(scale.shows, _TICKS):
        x, kind = scale(tick), "limit" if tick == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        label = f"{NAMES[LIMIT]} = 1" if tick == 1 else f"{tick:g}"
        parts.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    return "\n".join(parts)


def _legend(servers: list[str]) -> str:
    parts, x = [], 20.0
    for name in servers:
        parts.append(f'<circle cx="{x + 5}" cy="68" r="{6 if name == US else 5}" fill="{_COLOURS[name]}"/>')
        parts.append(f'<text class="{"us" if name == US else ""}" x="{x + 16}" y="72">{NAMES[name]}</text>')
        x += 40 + 8 * len(NAMES[name])
    return "\n".join(parts)


def _row(endpoint: str, of: Rounds, servers: list[str], scale: _Scale, y: float) -> str:
    what, way = ENDPOINTS.get(endpoint, (endpoint, ""))
    parts = [
        f'<line class="row" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>',
        f'<text x="20" y="{y - 1}">{escape(what)}</text>',
        f'<text class="small" x="20" y="{y + 11}">{escape(way)}</text>',
    ]
    for name in reversed(servers):  # ours on top
        value = ratio(of, name)
        if value is None:
            continue
        at = f'cx="{scale(value):.1f}" cy="{y}" r="{6 if name == US else 5}" fill="{_COLOURS[name]}"'
        parts.append(f"<circle {at}><title>{NAMES[name]}: {value:.2f}</title></circle>")
        if name == US:
            parts.append(
                f'<text class="us" x="{scale(value) - 10:.1f}" y="{y + 4}" text-anchor="end">{value:.2f}</text>'
            )
    return "\n".join(parts)
