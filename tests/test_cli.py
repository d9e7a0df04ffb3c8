"""The `plectrum` command and `manage.py plectrum`, in process where nothing is served."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from plectrum import cli, discovery
from plectrum.errors import ConfigurationError

APP = '''
from plectrum import API

api = API(title="Notes")
other = API()
number = 1


@api.get("/notes/{id}")
async def note(id: int, full: bool = False) -> dict[str, int]:
    """A note."""
    return {"id": id}
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory with a module `notes_app`, and no Django."""
    (tmp_path / "notes_app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    yield tmp_path
    for name in [name for name in sys.modules if name.endswith("_app")]:
        del sys.modules[name]


@pytest.mark.usefixtures("project")
class TestScript:
    def test_routes(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["routes", "notes_app:api"]) == 0
        assert capsys.readouterr().out == (
            "METHOD  PATH         WAY     NAME  PARAMETERS\nGET     /notes/{id}  object  note  path:id query:full\n"
        )

    def test_routes_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["routes", "--json", "notes_app:api"]) == 0
        [route] = json.loads(capsys.readouterr().out)
        assert route == {
            "method": "GET",
            "path": "/notes/{id}",
            "way": "object",
            "name": "note",
            "versions": [],
            "parameters": ["path:id", "query:full"],
        }

    def test_openapi(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["openapi", "notes_app:api"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["openapi"].startswith("3.1")
        assert document["info"]["title"] == "Notes"
        assert list(document["paths"]) == ["/notes/{id}"]

    def test_check(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["check", "notes_app:api"]) == 0
        assert capsys.readouterr().out == "1 route, no problems.\n"

    def test_app_from_the_environment(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PLECTRUM_API", "notes_app:other")
        assert cli.main(["check"]) == 0
        assert capsys.readouterr().out == "0 routes, no problems.\n"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["check"], "Which API? Name it: 'module:api', or set PLECTRUM_API."),
            (["check", "missing_app:api"], "There is no module 'missing_app'. Check the spelling, and that you are in"),
            (["check", "notes_app:application"], "Module 'notes_app' has no 'application'. It has 'api': write"),
            (["check", "notes_app:number"], "'notes_app:number' is a int, not a plectrum.API."),
            (["run", "notes_app:api", "--port", "-1"], "less than 0"),
        ],
    )
    def test_errors_are_a_line_and_status_1(
        self, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(arguments) == 1
        captured = capsys.readouterr()
        assert captured.err.startswith("plectrum: ")
        assert said in captured.err
        assert "Traceback" not in captured.err

    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            cli.main(["--version"])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith("plectrum 0.")


class TestDiscovery:
    def test_names(self, project: Path) -> None:
        for name in ("notes_app:api", "notes_app.api", "notes_app:"):
            assert discovery.find(name).info["title"] == "Notes"

    @pytest.mark.usefixtures("project")
    def test_only_an_object(self) -> None:
        with pytest.raises(ConfigurationError, match=r"'api' does not name an API object. Write 'module:api'"):
            discovery.find("api")

    def test_module_without_any(self, project: Path) -> None:
        (project / "empty_app.py").touch()
        with pytest.raises(ConfigurationError, match=r"Module 'empty_app' has no 'api'. Write there: api = API\(\)."):
            discovery.find("empty_app:api")

    def test_module_that_misses_a_module(self, project: Path) -> None:
        (project / "broken_app.py").write_text("\nimport no_such_thing\n")
        with pytest.raises(ConfigurationError) as caught:
            discovery.find("broken_app:api")
        assert str(caught.value) == ("broken_app.py:2: importing 'broken_app' failed: No module named 'no_such_thing'.")

    def test_module_that_does_not_parse(self, project: Path) -> None:
        (project / "wrong_app.py").write_text("def f(:\n")
        with pytest.raises(ConfigurationError, match=r"wrong_app.py:1: invalid syntax"):
            discovery.find("wrong_app:api")

    def test_own_errors_pass(self, project: Path) -> None:
        (project / "raising_app.py").write_text("raise RuntimeError('mine')\n")
        with pytest.raises(RuntimeError, match="mine"):
            discovery.find("raising_app:api")

    def test_django_without_a_name_looks_into_the_project(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            discovery.find_in_django(None)
        assert str(caught.value) == (
            "No API object was found (looked into tests.project.api). Write tests/project/api.py with api = API(), of "
            'plectrum, or name another in the settings: PLECTRUM = {"API": "shop.api.api"}.'
        )


class TestManagementCommand:
    def test_routes(self, settings: Settings) -> None:
        settings.PLECTRUM = {"API": "shop.api.api"}
        out = StringIO()
        call_command("plectrum", "routes", stdout=out)
        ways = {line.split()[1]: line.split()[2] for line in out.getvalue().splitlines()[1:]}
        assert ways["/api/articles"] == "native"
        assert ways["/api/articles/popular"] == "queryset"
        assert ways["/api/hello"] == "object"
        assert out.getvalue().splitlines()[-1].split() == ["ANY", "/{path:path}", "object", "django"]

    def test_check_says_what_is_wrong(self, settings: Settings) -> None:
        settings.PLECTRUM = {"APP": "shop.api.api"}
        with pytest.raises(CommandError, match=r"""PLECTRUM\["APP"\] is not a setting. Did you mean 'API'?"""):
            call_command("plectrum", "check")


class TestSystemChecks:
    def test_settings(self, settings: Settings) -> None:
        settings.PLECTRUM = {"PROT": 1}
        with pytest.raises(CommandError) as caught:
            call_command("check", "--tag", "plectrum")
        assert "(plectrum.E001) PLECTRUM[\"PROT\"] is not a setting.\n\tHINT: Did you mean 'PORT'?" in str(caught.value)

    def test_api(self, settings: Settings) -> None:
        settings.PLECTRUM = {"API": "shop.api.missing"}
        with pytest.raises(CommandError, match=r"\(plectrum.E010\) Module 'shop.api' has no 'missing'"):
            call_command("check", "--tag", "plectrum")

    def test_nothing_to_say(self, settings: Settings) -> None:
        settings.PLECTRUM = {"API": "shop.api.api"}
        out = StringIO()
        call_command("check", "--tag", "plectrum", stdout=out)
        assert "no issues" in out.getvalue()
