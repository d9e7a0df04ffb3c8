"""Every public name appears in an example that runs: a Python block of the README or of docs/."""

from __future__ import annotations

import ast
import functools
import importlib

import pytest

from tests.docs.blocks import blocks
from tests.docs.test_docs import DOCUMENTS

#: Modules whose ``__all__`` is for users.
PUBLIC = [
    "plectrum", "plectrum.auth", "plectrum.auth.tokens", "plectrum.channels", "plectrum.drf", "plectrum.export",
    "plectrum.fastapi", "plectrum.graphql", "plectrum.guards", "plectrum.naming", "plectrum.nplusone",
    "plectrum.pipeline", "plectrum.prewarm", "plectrum.schema", "plectrum.strawberry", "plectrum.testing",
    "plectrum.throttling", "plectrum.versions", "plectrum.views",
]  # fmt: skip
#: What other modules of the package ask these for.
INTERNAL = {
    "plectrum.auth.tokens": {"asks_revocation"},
    "plectrum.guards": {"as_guard", "object_guards"},
    "plectrum.versions": {"Versioning", "describe_versioning", "versions_of"},
    "plectrum.throttling": {"limits_of", "rates_of", "segment_file", "shared_segment"},
}


@functools.cache
def shown() -> frozenset[str]:
    """Every identifier of every example."""
    found: set[str] = set()
    for document in DOCUMENTS:
        for block in blocks(document):
            if block.language == "python":
                for node in ast.walk(ast.parse(block.text)):
                    found.update(getattr(node, name) for name in ("id", "attr") if hasattr(node, name))
                    if isinstance(node, ast.alias):
                        found.add(node.name)
    return frozenset(found)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_name_is_shown(module: str) -> None:
    names = set(importlib.import_module(module).__all__) - INTERNAL.get(module, set())
    assert not sorted(names - shown())


def test_the_check_can_fail() -> None:
    assert "API" in shown()
    assert "NotShownAnywhere" not in shown()
