"""The dashboard at ``/_plectrum/``: routes, latencies, slow statements with their plans, workers, errors, N+1 findings.

``PLECTRUM = {"DASHBOARD": True}`` adds its routes; staff see it, and everybody where ``DEBUG`` is set. See
``docs/dashboard.md``. The page is one file, ``page.html``, without anything to build or to fetch from elsewhere.
"""

from .routes import PATH, dashboard_routes

__all__ = ["PATH", "dashboard_routes"]
