"""The benchmark's Django application."""
