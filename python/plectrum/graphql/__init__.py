"""GraphQL over Django models: one endpoint whose queries become a few SQL statements and whose answers Rust writes.

::

    from plectrum import API
    from plectrum.graphql import GraphQL

    api = API()
    api.graphql("/graphql", GraphQL(models=[Article, Author]))

At start-up the models are described once (``graph``, with ``names``, ``scalars`` and ``fields``) and written as a
schema (``sdl``). A request is parsed, validated and reduced to a *shape* in Rust; each shape is planned once by
Django's compiler (``planner`` → ``roots`` → ``rows`` → ``filters``, ``ordering``) and from then on runs without Python.
Functions of the user's (``resolvers``) are asked once for all rows of a response.
Mutations (``mutations``, with ``entries`` and ``answers``) are written by Django; a query shows what they wrote.
Functions of the user's own (``functions``, with ``annotations``, ``inputs`` and ``outputs``) answer further fields;
subscriptions are fed by them, or by a table's ``changes``.
"""

from __future__ import annotations

from .annotations import ID, BigInt
from .errors import GraphQLError
from .info import Info
from .options import GraphQL, Limits, Live, Type
from .resolvers import Resolver
from .validation import validate
from .viewer import Viewer

__all__ = [
    "ID", "BigInt", "GraphQL", "GraphQLError", "Info", "Limits", "Live", "Resolver", "Type", "Viewer", "validate",
]  # fmt: skip
