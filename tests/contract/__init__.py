"""The server as clients meet it: real processes, real sockets, real databases, real faults."""
