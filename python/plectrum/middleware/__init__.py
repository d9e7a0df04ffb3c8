"""Django's middleware around routes: ``django_middleware=`` of an API, a router or a route.

In the order a start meets them: :mod:`chosen` reads the option, :mod:`known` tells which hooks may block, :mod:`stack`
puts the middleware around each other, :mod:`around` puts them around a route, :mod:`preflight` gives it OPTIONS. For a
request: :mod:`request` is what middleware sees of it, :mod:`answer` what it sees of the answer, :mod:`failure` what it
sees of an exception.
"""

from .around import Stacks
from .preflight import preflights

__all__ = ["Stacks", "preflights"]
