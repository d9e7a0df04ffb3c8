"""A handler on the worker sees what it would see under ``asyncio.run``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plectrum._core import _testing
from tests.eventloop.scenarios import SCENARIOS, Handler, describe, loop_signals, returns_at_once


async def observed(scenario: Handler) -> Any:
    """What a scenario returns, or a description of what it raises."""
    task = asyncio.ensure_future(scenario())
    await asyncio.wait([task])
    try:
        return task.result()
    except BaseException as error:
        return describe(error)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_handler_sees_what_asyncio_would_show_it(worker: _testing.Worker, scenario: Handler) -> None:
    expected = asyncio.run(observed(scenario))
    # Several times, because a handler may find what the one before it left behind; the last ones run together.
    together = [scenario] * (1 if scenario is loop_signals else 2)
    for scenarios in ([scenario], [returns_at_once, scenario], [returns_at_once, *together]):
        for each, report in zip(scenarios, worker.run(*(s() for s in scenarios)), strict=True):
            assert report is not None
            _, value, error = report
            assert each is returns_at_once or (describe(error) if error is not None else value) == expected


def test_many_scenarios_at_once(worker: _testing.Worker) -> None:
    several = [s for s in SCENARIOS if s is not loop_signals] * 4
    expected = {s: asyncio.run(observed(s)) for s in set(several)}
    for scenario, report in zip(several, worker.run(*(s() for s in several)), strict=True):
        assert report is not None
        _, value, error = report
        assert (describe(error) if error is not None else value) == expected[scenario]
