"""Other projects' test suites with `plectrum.drf` under them: what passes without it must pass with it.

Run as `tools/drf-suite [name …]`. The suites come as source distributions from the package index into
`.plectrum/drf-suite` and run four times each: on plain DRF, with all serializers taken over, with those taken over
eagerly that would be left to DRF because they make one object only, and so with the mixin's methods patched into
`Serializer` and `ModelSerializer` themselves.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET  # what is parsed is pytest's own
from collections import Counter

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = ROOT / ".plectrum" / "drf-suite"
WAYS = {
    "plain": None,
    "switched": {},
    "eager": {"PLECTRUM_DRF_EAGER": "1"},
    "mixin": {"PLECTRUM_DRF_EAGER": "1", "PLECTRUM_DRF_MIXIN": "1"},
}


# Lost tests that are named.
_SHOWN = 20
# Where pytest finds its configuration, and by what.
_CONFIGURATIONS = (
    ("pytest.ini", "[pytest]"),
    ("pyproject.toml", "[tool.pytest"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
)


@dataclasses.dataclass(frozen=True)
class Suite:
    """A project with tests in its source distribution.

    Parameters:
        project: its name in the package index.
        needs: what its tests import.
        tests: where they are.
        settings: the settings module, where pytest's configuration names none.
    """

    project: str
    needs: tuple[str, ...]
    tests: str = "tests"
    settings: str = ""

    @property
    def requirement(self) -> str:
        """DRF in the version that is installed; of others, what the index has."""
        if self.project != "djangorestframework":
            return self.project
        return f"{self.project}=={importlib.metadata.version(self.project)}"


SUITES = {
    suite.project: suite
    for suite in (
        Suite(
            "djangorestframework",
            ("dj-database-url", "django-filter", "inflection", "markdown", "pyyaml", "requests", "uritemplate"),
        ),
        Suite(
            "drf-spectacular",
            ("inflection", "uritemplate", "pyyaml", "jsonschema", "django-filter", "typing-extensions"),
        ),
        Suite(
            "djangorestframework-jsonapi",
            ("django-polymorphic", "factory-boy", "inflection", "pytest-factoryboy", "syrupy", "django-filter"),
        ),
        Suite("drf-flex-fields", (), settings="tests.settings"),
        Suite("django-filter", ("django-crispy-forms", "pytz", "lxml", "html5lib"), settings="tests.settings"),
        Suite("djangorestframework-dataclasses", ("pytest-subtests", "pytz"), settings="drf_settings"),
        Suite("djangorestframework-simplejwt", ("pyjwt", "freezegun", "python-jose", "cryptography")),
        Suite(
            "drf-standardized-errors", ("drf-spectacular", "django-filter", "factory-boy"), settings="tests.settings"
        ),
    )
}


def main(names: list[str]) -> int:
    """Runs the suites named, all by default; 1 where a test is lost."""
    unknown = set(names) - SUITES.keys()
    if unknown:
        print(f"No such suite: {', '.join(sorted(unknown))}. There are: {', '.join(SUITES)}.", file=sys.stderr)
        return 2
    lost = 0
    for suite in [SUITES[name] for name in names] or SUITES.values():
        folder = _fetched(suite)
        if folder is None:
            print(f"{suite.project}: SKIPPED, the package index could not be reached or has no source distribution")
            continue
        lost += _compare(suite, folder)
    return 1 if lost else 0


def _fetched(suite: Suite) -> pathlib.Path | None:
    home = CACHE / suite.requirement
    done = home / "done"
    if not done.exists():
        home.mkdir(parents=True, exist_ok=True)
        source = ["download", "--no-deps", "--no-binary", ":all:", "--dest", str(home), suite.requirement]
        tools = ["install", "--upgrade", "--target", str(home / "needs"), "pytest-django", *suite.needs]
        if not (_pip(source) and _pip(tools)):
            return None
        for archive in home.glob("*.tar.gz"):
            with tarfile.open(archive) as content:
                content.extractall(home / "source", filter="data")
        # The installed DRF and Django are the ones under test.
        (root,) = (home / "source").iterdir()
        if not any(name in _text(root / file) for file, name in _CONFIGURATIONS):
            (root / "pytest.ini").write_text("[pytest]\n")  # else pytest takes this project's
        done.touch()
    return next((home / "source").iterdir())


def _text(file: pathlib.Path) -> str:
    return file.read_text() if file.exists() else ""


def _pip(arguments: list[str]) -> bool:
    return subprocess.run([sys.executable, "-m", "pip", *arguments, "-q"], stdout=subprocess.DEVNULL).returncode == 0


def _compare(suite: Suite, folder: pathlib.Path) -> int:
    plain, *others = ((way, _outcomes(suite, folder, way)) for way in WAYS)
    counts = Counter(plain[1].values())
    print(f"{suite.project}: {counts['passed']} tests pass on plain DRF, {counts['failed']} fail")
    lost = 0
    for way, outcomes in others:
        missing = sorted(test for test, outcome in plain[1].items() if outcome == "passed" != outcomes.get(test))
        print(f"  {way}: {Counter(outcomes.values())['passed']} pass" + (f", {len(missing)} LOST" if missing else ""))
        for test in missing[:_SHOWN]:
            print(f"    {test}: {outcomes.get(test, 'not run')}")
        if not outcomes:
            print(f"    the run broke off, see {CACHE / f'{suite.project}-{way}.log'}")
        lost += len(missing)
    return lost if counts["passed"] else 1


def _outcomes(suite: Suite, folder: pathlib.Path, way: str) -> dict[str, str]:
    report = CACHE / f"{suite.project}-{way}.xml"
    report.unlink(missing_ok=True)
    changes = WAYS[way]
    # What is installed here goes before what the suite brought along.
    path = [str(folder), *(entry for entry in sys.path if "site-packages" in entry), str(folder.parents[1] / "needs")]
    environ = {**os.environ, **(changes or {}), "PYTHONPATH": os.pathsep.join([str(ROOT / "tools"), *path])}
    if suite.settings:
        environ["DJANGO_SETTINGS_MODULE"] = suite.settings
    plugin = [] if changes is None else ["-p", "drf_plugin"]
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", "--continue-on-collection-errors"]
    log = CACHE / f"{suite.project}-{way}.log"
    with log.open("w") as output:
        subprocess.run(
            [sys.executable, *command, *plugin, f"--junitxml={report}", suite.tests],
            cwd=folder,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return _read(report) if report.exists() else {}


def _read(report: pathlib.Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = outcome
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
