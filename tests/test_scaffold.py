"""`plectrum new`: the project it makes migrates, passes its tests and serves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from plectrum import ConfigurationError
from plectrum.scaffold import create

ENVIRON = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PLECTRUM_PORT": "0",
    "PLECTRUM_WORKERS": "1",
}


def run(command: str, directory: Path) -> str:
    done = subprocess.run(command.split(), cwd=directory, env=ENVIRON, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_first_commands_run(tmp_path: Path) -> None:
    said = run("plectrum new shop", tmp_path)
    assert "python manage.py migrate" in said
    project = tmp_path / "shop"
    run("python manage.py migrate", project)
    run("python manage.py makemigrations --check", project)
    run("python manage.py test", project)
    server = subprocess.Popen(
        ["python", "manage.py", "plectrum", "serve"], cwd=project, env=ENVIRON, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if "is serving" in line)
        address = line.split()[-1]
        with urllib.request.urlopen(f"{address}/hello?name=Ada", timeout=30) as answer:
            assert answer.read() == b'{"message":"Hello, Ada!"}'
        for page, holds in (("/docs", b"swagger"), ("/admin/login/", b"csrf"), ("/static/admin/css/base.css", b"body")):
            with urllib.request.urlopen(address + page, timeout=30) as answer:
                assert holds in answer.read(), page
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    for name in ("my-shop", "class", "django", "1st"):
        with pytest.raises(ConfigurationError, match="cannot be the name"):
            create(name, tmp_path)
    (tmp_path / "shop").mkdir()
    with pytest.raises(ConfigurationError, match="exists already"):
        create("shop", tmp_path)
