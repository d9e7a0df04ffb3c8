"""Measures Plectrum beside its peers and writes down what it found; `bench/run` is the way in.

* :mod:`ratios`: CPU per request over that of the hand-written Rust server, by the peers' own `run.py`;
* :mod:`latency`: percentiles under 50, 100 and 200 connections;
* :mod:`machine`: where and with what it was measured;
* :mod:`report` and :mod:`picture`: `RESULTS.md` and `ratios.svg`;
* :mod:`gate`: against the committed baseline.
"""
