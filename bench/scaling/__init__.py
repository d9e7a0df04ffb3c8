"""What another worker costs: `python -m bench.scaling`."""
