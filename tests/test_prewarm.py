"""After a warm start a first request imports nothing and plans nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

APPLICATION = """
from django.apps import AppConfig
from django.conf import settings

settings.configure(
    SECRET_KEY="x", INSTALLED_APPS=["django.contrib.contenttypes", "plectrum", "warm"], USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "warm.sqlite3"}},
    PLECTRUM={"PREWARM": True, "API": "warm.api.api", "DRF": True}, ROOT_URLCONF="warm.api",
)
"""
MODELS = """
from django.db import models

class Thing(models.Model):
    name = models.CharField(max_length=10)
    class Meta:
        app_label = "warm"
"""
SERIALIZERS = """
from rest_framework import serializers
from .models import Thing

class ThingSerializer(serializers.ModelSerializer):
    class Meta:
        model = Thing
        fields = ["id", "name"]
"""
API = """
from plectrum import API
from .models import Thing

api = API(openapi_url=None)
urlpatterns = []

@api.query.get("/things/{id}")
def thing(id: int):
    return Thing.objects.filter(pk=id)
"""
RUN = """
import json, sys
import setup_project
import django
django.setup()
from plectrum import native, drf
from plectrum.testing import TestClient
from warm.api import api
from warm.models import Thing
from django.db import connection
with connection.schema_editor() as editor:
    editor.create_model(Thing)
Thing.objects.create(name="one")
serializers = sys.modules.get("warm.serializers")
counted = {"described": 0, "traced": 0}
trace = native.Planner.trace
def tracing(self, variant):
    counted["traced"] += 1
    return trace(self, variant)
client = TestClient(api)
native.Planner.trace = tracing
before = set(sys.modules)
answer = client.get("/things/1").json()
data = serializers.ThingSerializer(Thing.objects.all(), many=True).data
drf.RustJSONRenderer().render(data)
print(json.dumps({"answer": answer, "data": data, "traced": counted["traced"],
                  "imported": sorted(name for name in set(sys.modules) - before)}))
"""


def run(directory: Path, prewarm: bool) -> Any:
    package = directory / "warm"
    package.mkdir()
    (directory / "setup_project.py").write_text(APPLICATION.replace('"PREWARM": True', f'"PREWARM": {prewarm}'))
    for name, text in (("__init__", ""), ("models", MODELS), ("serializers", SERIALIZERS), ("api", API), ("run", RUN)):
        (package / f"{name}.py").write_text(text)
    (directory / "run.py").write_text(RUN)
    return subprocess.run([sys.executable, "run.py"], cwd=directory, capture_output=True, text=True, timeout=60)


def test_a_first_request_compiles_and_imports_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answer"] == told["data"] == [{"id": 1, "name": "one"}]
    assert told["traced"] == 0
    assert [name for name in told["imported"] if not name.startswith("encodings")] == []


def test_without_it_serializers_are_not_even_imported(tmp_path: Path) -> None:
    done = run(tmp_path, False)
    assert "'NoneType' object has no attribute 'ThingSerializer'" in done.stderr


def test_a_broken_api_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "API", API.replace("filter(pk=id)", "filter(nothing=id)"))
    done = run(tmp_path, True)
    assert done.returncode != 0
    assert "Cannot resolve keyword 'nothing'" in done.stderr
