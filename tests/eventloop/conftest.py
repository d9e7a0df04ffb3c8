"""The worker that these tests drive by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plectrum._core import _testing


@pytest.fixture
def worker() -> Iterator[_testing.Worker]:
    """A worker on this thread, closed afterwards."""
    worker = _testing.Worker(threads=2, capacity=2)
    yield worker
    worker.close(1.0)
