"""`tools.postgres`: real PostgreSQL that never outlives the process that wanted it."""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parent.parent
QUERY = (
    "import os, psycopg; connection = psycopg.connect(os.environ['DATABASE_URL']);"
    "print(connection.execute('SELECT upper(%s), version()', ['é']).fetchone()); connection.close()"
)
pytestmark = pytest.mark.skipif(
    os.environ.get("PLECTRUM_TEST_ENGINE") == "sqlite", reason="the SQLite run starts no PostgreSQL"
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tools.postgres", *arguments]


def without_url() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def gone(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return True
    return False


@pytest.mark.parametrize("user", [None, "nobody"])
def test_runs_a_command_with_its_url(user: str | None) -> None:
    if user is not None and os.geteuid() != 0:
        pytest.skip("only root can become another user; the other case has run as this one")
    done = subprocess.run(
        command("--throw-away", "--", sys.executable, "-c", QUERY),
        cwd=ROOT,
        env={**without_url(), "PYTHONPYCACHEPREFIX": "/tmp/plectrum-pycache"},
        user=pwd.getpwnam(user).pw_uid if user else None,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("('É', 'PostgreSQL ")


def test_status_of_the_command_is_passed_on() -> None:
    program = "import sys; sys.exit(7)"
    done = subprocess.run(command("--throw-away", "--", sys.executable, "-c", program), cwd=ROOT, env=without_url())
    assert done.returncode == 7


def test_a_given_database_is_used_as_it_is() -> None:
    program = "import os; print(os.environ['DATABASE_URL'], os.environ['PLECTRUM_TEST_PG'])"
    environ = {**os.environ, "DATABASE_URL": "postgresql://somewhere/else"}
    arguments = command("--", sys.executable, "-c", program)
    done = subprocess.run(arguments, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "postgresql://somewhere/else postgresql://somewhere/else\n"


@pytest.fixture
def cluster() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "cluster"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_it(number: signal.Signals, cluster: Path) -> None:
    arguments = command(f"--data={cluster}")
    with subprocess.Popen(arguments, cwd=ROOT, env=without_url(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"PostgreSQL is up: (\S+)\n", line)
        assert found is not None
        psycopg.connect(found[1]).close()
        process.send_signal(number)
        until(lambda: gone(found[1]))
        until(lambda: not (cluster / "postmaster.pid").exists())


def test_a_server_that_runs_is_shared_and_left_running(cluster: Path) -> None:
    with subprocess.Popen(command(f"--data={cluster}"), cwd=ROOT, env=without_url(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().split()[-1]
        program = "import os; print(os.environ['DATABASE_URL'])"
        arguments = command(f"--data={cluster}", "--", sys.executable, "-c", program)
        done = subprocess.run(arguments, cwd=ROOT, env=without_url(), capture_output=True, text=True, check=True)
        assert done.stdout.strip() == url
        psycopg.connect(url).close()
        process.terminate()


def test_data_is_kept_between_runs(cluster: Path) -> None:
    first = (
        "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True).execute('CREATE TABLE a()')"
    )
    second = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).execute('SELECT * FROM a')"
    for program in (first, second):
        arguments = command(f"--data={cluster}", "--", sys.executable, "-W", "ignore", "-c", program)
        subprocess.run(arguments, cwd=ROOT, env=without_url(), check=True)
