"""The pipeline without the libraries it can work with."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys

for name in ("django", "psycopg", "starlette", "rest_framework"):
    sys.modules[name] = None
from plectrum.pipeline import RustResponseBytes, build_list_response

result = RustResponseBytes(build_list_response(['{"a_b":1}'], "rows", "Row"))
print(bytes(result).decode())
"""


def test_neither_django_nor_psycopg_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == '{"data":{"rows":[{"__typename":"Row","aB":1}]}}\n', done.stderr
