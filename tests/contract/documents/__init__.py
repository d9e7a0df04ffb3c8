"""An application with one model that has a file."""
