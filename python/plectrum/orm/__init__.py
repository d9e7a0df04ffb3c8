"""Django querysets planned by Django, executed by Rust.

A query function is traced once with symbolic parameters (:func:`trace`); a queryset that a handler returned is
planned per request through a cache keyed by its shape. Either gives an :class:`Operation`: statements, what their
rows become, and the response made of them.

The way of the data, file by file: ``param`` → ``trace`` → ``operation`` → ``rows`` → (``wanted``, ``selection``) →
``parameters`` → ``compiled`` → (``sql``, ``literal``) → ``output`` → (``fields``, ``custom``) → ``relations`` →
``plan``.
"""

from __future__ import annotations

from .connection import connection_config, django_reason, must_run_on_django
from .custom import register_writer
from .param import Param
from .plan import Operation, Plan
from .results import Count, Exists, One, Page
from .shape import Planned, ShapeCache, plan
from .trace import queryset_of, trace

__all__ = [
    "Count",
    "Exists",
    "One",
    "Operation",
    "Page",
    "Param",
    "Plan",
    "Planned",
    "ShapeCache",
    "connection_config",
    "django_reason",
    "must_run_on_django",
    "plan",
    "queryset_of",
    "register_writer",
    "trace",
]
