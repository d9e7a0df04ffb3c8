"""The supervisor over real processes and sockets; the workers are `tests/standin_worker.py`."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "run_supervisor.py"


class Running:
    def __init__(self, directory: Path, workers: int, drain: float, *more: str) -> None:
        self.directory = directory
        self.errors = directory / "stderr.log"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, RUN, directory, str(workers), str(drain), *more],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.port = 0

    def wait_ready(self) -> Running:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("READY "), self.said
        self.port = int(line.split()[1])
        return self

    def ask(self, timeout: float = 5.0) -> int:
        """The pid of the worker that answers."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            return int(connection.makefile().readline().split()[0])

    def pids(self, count: int) -> set[int]:
        found: set[int] = set()
        while len(found) < count:
            found.add(self.ask())
        return found

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def said(self) -> str:
        return self.errors.read_text()


def until(true: Callable[[], bool], seconds: float = 10.0) -> float:
    """Waits for it; returns how long that took."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, "did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - start


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def run(workers: int = 2, drain: float = 5.0, *more: str) -> Running:
        started.append(Running(tmp_path, workers, drain, *more))
        return started[-1]

    yield run
    for running in started:
        running.process.kill()
        running.process.communicate()


def test_workers_share_the_connections(start: Start) -> None:
    assert len(start(2).wait_ready().pids(2)) == 2


def test_a_killed_worker_is_back_within_a_second_and_nobody_is_refused(start: Start) -> None:
    running = start(2).wait_ready()
    victim, other = running.pids(2)
    os.kill(victim, signal.SIGKILL)
    seconds = until(lambda: running.ask() not in (victim, other))
    assert seconds < 1.0
    assert alive(other)
    assert f"(pid {victim}) was killed by SIGKILL; starting another." in running.said


def test_a_spare_worker_takes_over_at_once(start: Start) -> None:
    running = start(1, 5.0, "spare").wait_ready()
    victim = running.ask()
    until(lambda: len(children(running.process.pid)) == 2)
    [spare] = children(running.process.pid) - {victim}
    time.sleep(0.5)  # it loads
    os.kill(victim, signal.SIGKILL)
    assert until(lambda: running.ask() == spare) < 1.0
    until(lambda: len(children(running.process.pid)) == 2)
    running.send(signal.SIGTERM)
    assert running.process.wait(5) == 0


def test_a_worker_that_has_served_enough_is_replaced_and_nobody_is_refused(start: Start, tmp_path: Path) -> None:
    running = start(1).wait_ready()
    (tmp_path / "worn-0").touch()
    worn = running.ask()
    until(lambda: running.ask() != worn)
    until(lambda: not alive(worn))
    assert f"Worker 0 (pid {worn}) has served WORKER_MAX_REQUESTS requests; another takes its place." in running.said


def test_workers_are_replaced_by_age_one_after_the_other(start: Start) -> None:
    running = start(2, 5.0, "age=1.5", "spare").wait_ready()
    first = running.pids(2)
    until(lambda: not running.pids(2) & first)
    until(lambda: not any(map(alive, first)))
    assert running.said.count("s; another takes its place.") >= 2


def test_workers_are_kept_on_cores_of_their_own(start: Start) -> None:
    running = start(2, 5.0, "pin").wait_ready()
    cores: set[str] = set()
    until(lambda: (cores.add(answer(running).split()[1]), len(cores) == min(2, len(os.sched_getaffinity(0))))[1])
    assert cores <= {str(core) for core in os.sched_getaffinity(0)}


def answer(running: Running) -> str:
    with socket.create_connection(("127.0.0.1", running.port), 5) as connection:
        return connection.makefile().readline()


def test_systemd_is_told(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        running = start(1).wait_ready()
        assert systemd.recv(100) == b"READY=1"
        running.send(signal.SIGHUP)
        assert systemd.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert systemd.recv(100) == b"READY=1"
        running.send(signal.SIGTERM)
        assert systemd.recv(100) == b"STOPPING=1"


def test_a_spare_worker_that_dies_harms_nobody(start: Start, tmp_path: Path) -> None:
    running = start(1, 5.0, "spare").wait_ready()
    serving = running.ask()
    until(lambda: len(children(running.process.pid)) == 2)
    [spare] = children(running.process.pid) - {serving}
    os.kill(spare, signal.SIGKILL)
    until(lambda: "A spare worker could not start:\nit was killed by SIGKILL" in running.said)
    assert running.ask() == serving
    running.send(signal.SIGHUP)
    until(lambda: running.ask() != serving)
    until(lambda: len(children(running.process.pid)) == 2)


def test_a_killed_worker_is_replaced_again_and_again(start: Start) -> None:
    running = start(1).wait_ready()
    for _ in range(3):
        os.kill(running.ask(), signal.SIGKILL)
    assert alive(running.ask())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_told(start: Start, number: signal.Signals) -> None:
    running = start(2).wait_ready()
    pids = running.pids(2)
    running.send(number)
    assert running.process.wait(5) == 0
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(ConnectionRefusedError):
        running.ask()


def test_waits_for_workers_to_finish(start: Start, tmp_path: Path) -> None:
    (tmp_path / "slow").write_text("0.7")
    running = start(2, 5.0).wait_ready()
    begin = time.monotonic()
    running.send(signal.SIGTERM)
    assert running.process.wait(5) == 0
    assert time.monotonic() - begin > 0.7
    assert "did not finish" not in running.said


def test_kills_workers_that_do_not_finish(start: Start, tmp_path: Path) -> None:
    (tmp_path / "slow").write_text("60")
    running = start(1, 0.2).wait_ready()
    pid = running.ask()
    running.send(signal.SIGTERM)
    assert running.process.wait(5) == 0
    assert not alive(pid)
    assert f"(pid {pid}) did not finish in time and is killed." in running.said


def test_second_signal_kills_at_once(start: Start, tmp_path: Path) -> None:
    (tmp_path / "slow").write_text("60")
    running = start(1, 60.0).wait_ready()
    pid = running.ask()
    running.send(signal.SIGINT)
    time.sleep(0.3)
    running.send(signal.SIGINT)
    assert running.process.wait(2) == 0
    assert not alive(pid)


def test_failed_start_is_told_once_and_ends_it(start: Start, tmp_path: Path) -> None:
    (tmp_path / "fail").write_text("shop/api.py:3: there is no module 'shp'.")
    running = start(3)
    assert running.process.wait(10) == 1
    assert running.said.count("there is no module 'shp'") == 1
    assert "Worker" in running.said


def test_silent_death_at_start_is_told(start: Start, tmp_path: Path) -> None:
    (tmp_path / "exit").touch()
    running = start(1)
    assert running.process.wait(10) == 1
    assert "exited with status 7 before it was ready" in running.said


def test_one_worker_that_cannot_start_leaves_the_others_alone(start: Start, tmp_path: Path) -> None:
    (tmp_path / "fail-0").write_text("not this one")
    running = start(2)
    until(lambda: "not this one" in running.said)
    time.sleep(1.0)
    assert running.said.count("not this one") == 1
    assert running.process.poll() is None
    (tmp_path / "fail-0").unlink()
    running.wait_ready()
    assert len(running.pids(2)) == 2


def test_crash_loop_backs_off(start: Start, tmp_path: Path) -> None:
    running = start(1).wait_ready()
    (tmp_path / "fail").write_text("broken now")
    os.kill(running.ask(), signal.SIGKILL)
    until(lambda: "broken now" in running.said)
    time.sleep(1.5)
    assert running.said.count("broken now") == 1
    (tmp_path / "fail").unlink()
    assert running.ask(timeout=10.0)


def test_hangup_replaces_every_worker_without_a_gap(start: Start) -> None:
    running = start(2).wait_ready()
    before = running.pids(2)
    running.send(signal.SIGHUP)
    until(lambda: running.ask() not in before)
    until(lambda: not any(alive(pid) for pid in before))
    assert running.pids(2).isdisjoint(before)


def test_hangup_with_broken_code_keeps_the_old_workers(start: Start, tmp_path: Path) -> None:
    running = start(2).wait_ready()
    before = running.pids(2)
    (tmp_path / "fail").write_text("broken now")
    running.send(signal.SIGHUP)
    until(lambda: "keep serving the code they have" in running.said)
    assert running.pids(2) == before


def test_workers_drain_when_the_parent_is_killed(start: Start) -> None:
    running = start(1).wait_ready()
    pid = running.ask()
    running.process.kill()
    running.process.wait()
    until(lambda: not alive(pid))


def test_changed_file_restarts_and_survives_broken_code(start: Start, tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    source.write_text("1")
    running = start(1, 5.0, "watch").wait_ready()
    first = running.ask()
    source.write_text("22")
    until(lambda: running.ask() != first)
    (tmp_path / "fail").write_text("SyntaxError: invalid syntax")
    source.write_text("333")
    until(lambda: "Waiting for the next change." in running.said)
    assert running.process.poll() is None
    (tmp_path / "fail").unlink()
    source.write_text("4444")
    assert running.ask(timeout=10.0)
