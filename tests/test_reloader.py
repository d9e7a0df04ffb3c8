from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from plectrum.reloader import Watcher, source_roots


def look(watcher: Watcher) -> Path | None:
    time.sleep(max(0.0, watcher.next_look - time.monotonic()))
    return watcher.changed()


def test_change_addition_and_removal(tmp_path: Path) -> None:
    file = tmp_path / "package" / "module.py"
    file.parent.mkdir()
    file.write_text("1")
    watcher = Watcher([tmp_path])
    assert look(watcher) is None
    os.utime(file, (1, 1))
    assert look(watcher) == file
    (tmp_path / "new.py").touch()
    assert look(watcher) == tmp_path / "new.py"
    file.unlink()
    assert look(watcher) == file
    assert look(watcher) is None


@pytest.mark.parametrize("name", ["readme.md", ".venv/a.py", "node_modules/a.py", "__pycache__/a.py"])
def test_what_is_not_watched(tmp_path: Path, name: str) -> None:
    watcher = Watcher([tmp_path])
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert look(watcher) is None


def test_looks_only_when_it_is_time(tmp_path: Path) -> None:
    watcher = Watcher([tmp_path])
    (tmp_path / "new.py").touch()
    assert watcher.changed() is None
    assert look(watcher) is not None


def test_roots_are_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, other = tmp_path / "project", tmp_path / "other"
    (project / "inner").mkdir(parents=True)
    other.mkdir()
    monkeypatch.chdir(project)
    installed = [path for path in sys.path if "python3" in path]
    path = ["", str(project), str(project / "inner"), str(other), str(tmp_path / "missing"), *installed]
    assert source_roots(path) == [project.resolve(), other.resolve()]
