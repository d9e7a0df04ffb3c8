"""The mixin patched into DRF's own classes, however that is done: each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["rest_framework"])
django.setup()
from django.db import models
from rest_framework import serializers as s

from plectrum.drf import RustSerializerMixin, explain
from plectrum.drf.compile import compiled

NAMES = ("to_representation", "to_internal_value", "get_fields", "many_init")
PATCH


class Row(models.Model):
    name = models.CharField(max_length=10)

    class Meta:
        app_label = "x"


class Size(s.Serializer):
    size = s.IntegerField()


class Wrapped(Size):
    def to_representation(self, instance):
        return {"wrapped": super().to_representation(instance)}


class Out(s.ModelSerializer):
    more = Wrapped(source="*", read_only=True)

    class Meta:
        model = Row
        fields = "__all__"


rows = [Row(id=key, name="n") for key in range(3)]
for row in rows:
    row.size = row.id
for _ in range(3):
    print(Out(rows, many=True).data, Out(rows[0]).data, Wrapped(rows, many=True).data)
    for kind, data in ((Out, {"name": "x"}), (Size, {"size": "1"}), (Wrapped, {"size": 1}), (Size, {"size": "a"})):
        for made in (kind(data=[data] * 3, many=True), kind(data=data)):
            print(made.is_valid(), made.errors, made.validated_data)
assert [field.output.way for field in explain(Out).fields] == ["rust", "python", "rust"], explain(Out)
assert compiled(Out())
"""
PATCHES = {
    "none": "",
    "replaced": """
for name in ("Serializer", "ModelSerializer"):
    setattr(s, name, type(name, (RustSerializerMixin, getattr(s, name)), {}))""",
    "base": "s.ModelSerializer.__bases__ = (RustSerializerMixin, *s.ModelSerializer.__bases__)",
    "methods": """
for kind in (s.Serializer, s.ModelSerializer):
    for name in NAMES:
        setattr(kind, name, vars(RustSerializerMixin)[name])""",
}


def printed(patch: str) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("DJANGO_", "PLECTRUM_"))}
    command = [sys.executable, "-c", PROGRAM.replace("PATCH", patch)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def plain() -> str:
    return printed(PATCHES["none"])


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_the_same_answers(patch: str, plain: str) -> None:
    assert printed(patch) == plain
