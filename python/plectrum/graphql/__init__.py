"""GraphQL over Django models: one endpoint whose queries become a few SQL statements and whose answers Rust writes.

::

    from plectrum import API
    from plectrum.graphql import GraphQL

    api = API()
    api.graphql("/graphql", GraphQL(models=[Article, Author]))

At start-up the models are described once (``graph``, with ``names``, ``scalars`` and ``fields``) and written as a
schema (``sdl``). A request is parsed, validated and reduced to a *shape* in Rust; each shape is planned once by
Django's compiler (``planner`` → ``roots`` → ``rows`` → ``filters``, ``ordering``) and from then on runs without Python.
Mutations (``mutations``, with ``entries`` and ``answers``) are written by Django; a query shows what they wrote.
"""

from __future__ import annotations

from .errors import GraphQLError
from .options import GraphQL, Limits, Type
from .validation import validate
from .viewer import Viewer

__all__ = ["GraphQL", "GraphQLError", "Limits", "Type", "Viewer", "validate"]
