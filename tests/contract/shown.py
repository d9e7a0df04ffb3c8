"""What the dashboard shows: fast and slow, failing and N+1 routes."""

from __future__ import annotations

from plectrum.nplusone.findings import Finding, tell_dashboard

from .observed import api

__all__ = ["api"]


@api.get("/nplusone")
async def found() -> None:
    tell_dashboard(Finding("shop.py:7", None, None, "shop.Order", "client", "Order", 'select_related("client")'))
