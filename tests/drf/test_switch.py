"""`PLECTRUM = {"DRF": True}`, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["rest_framework", "plectrum"], PLECTRUM={"DRF": %s})
django.setup()
from rest_framework import serializers
print(serializers.Serializer.to_representation.__module__, serializers.ListSerializer.to_representation.__module__)
"""


def modules(value: str) -> list[str]:
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("DJANGO_", "PLECTRUM_"))}
    done = subprocess.run([sys.executable, "-c", PROGRAM % value], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_setting_installs() -> None:
    assert modules("True") == ["plectrum.drf.switch"] * 2
    assert modules("False") == ["rest_framework.serializers"] * 2
