"""The shop's API: what each app brings, GraphQL over the same models, and Django's own site behind it."""

from __future__ import annotations

from accounts.api import router as accounts
from catalog.api import router as catalog
from orders.api import router as orders
from pictures.api import router as pictures
from stock.api import router as stock

from plectrum import API
from shop.graph import graph

api = API(prefix="/api", title="Shop", version="1.0.0", description="Articles to read, and who wrote them.")

for router in (catalog, pictures, stock, accounts, orders):
    api.include(router)

# GraphQL over the same models. ─────────────────────────────────────────────────────────────────────────────────────

api.graphql("/graphql", graph)

# The rest of the site: uploaded files, the admin, and Django's other views. ────────────────────────────────────────

api.mount_static()
api.mount_django()
