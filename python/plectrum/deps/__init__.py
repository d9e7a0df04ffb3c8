"""Dependencies: what a handler needs besides the request's own values, declared in its signature.

``marker`` is what users write, ``resolve`` flattens it when a route is registered, ``call`` runs the flat plan.
"""

from __future__ import annotations

from .call import CallPlan, Step
from .marker import Dependency, Depends
from .resolve import Need, Resolver

__all__ = ["CallPlan", "Dependency", "Depends", "Need", "Resolver", "Step"]
