"""`make bench-gate BASE=<rev>`: is this revision slower than another one? Both are built and measured side by side.

In the order of a run: ``trees`` has both revisions and builds them; ``sets`` measures (``package`` and ``app`` are the
programs it runs in them); ``judge`` compares; ``table`` shows it; ``history`` keeps and draws it.
"""
