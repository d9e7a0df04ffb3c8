//! The HTTP side: server, router, request, response. Unaware of the database and of Python.
