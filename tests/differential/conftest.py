"""How many rows hypothesis makes, and that it makes the same ones every time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, Verbosity, settings

settings.register_profile(
    "differential",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    # Rows are compared one by one: a failure shows the row, no batch has to be shrunk or printed.
    phases=[Phase.explicit, Phase.generate],
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile("explore", settings.get_profile("differential"), derandomize=False, max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "differential"))
