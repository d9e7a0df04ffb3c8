"""`examples/shop` as its users have it: a PostgreSQL of its own, seeded, and a server in another process."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from tools import postgres

__all__ = ["CUSTOMER", "STAFF", "shop", "token_of"]

SHOP = Path(__file__).parents[1] / "examples" / "shop"
READY = re.compile(r"is serving on (http://127\.0\.0\.1:\d+)")
#: Rows of the catalogue: enough for pages, filters and nested rows of every kind.
ARTICLES = 60
#: Copies of each article on the shelf.
COPIES = 50
SECRET_KEY = "a secret of the tests, long enough to sign tokens"

#: Who `manage.py people` makes: name, password and key.
CUSTOMER = ("ada", "demo-demo", 1)
STAFF = ("admin", "demo-demo", 2)


@contextlib.contextmanager
def shop(directory: Path, *, workers: int = 1, **environ: str) -> Generator[str]:
    """A seeded shop over a real socket. Yields its base URL.

    Parameters:
        directory: for its log, its uploads (`media`) and its mails (`mail`).
        workers: how many processes answer.
        environ: added to the environment.
    """
    with postgres.server(throw_away=True) as url:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        own = {"DATABASE_URL": url, "DEBUG": "0", "SECRET_KEY": SECRET_KEY}
        files = {"MEDIA_ROOT": str(directory / "media"), "EMAIL_FILE_PATH": str(directory / "mail")}
        environ = {**inherited, **own, **files, **environ}
        for command in (["migrate", "--verbosity=0"], ["seed", f"--articles={ARTICLES}"], ["stocktake"], ["people"]):
            prepare = [sys.executable, "manage.py", *command]
            subprocess.run(prepare, cwd=SHOP, env=environ, check=True, stdout=subprocess.DEVNULL)
        with _served(directory / "log", workers, environ) as address:
            yield address


@contextlib.contextmanager
def _served(log: Path, workers: int, environ: dict[str, str]) -> Generator[str]:
    serve = [sys.executable, "manage.py", "plectrum", "serve", "--port=0", f"--workers={workers}"]
    with log.open("w") as errors:
        process = subprocess.Popen(serve, cwd=SHOP, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        ready = READY.search(process.stdout.readline())
        if ready is None:
            raise RuntimeError(log.read_text())
        yield ready[1]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def token_of(user: int, lifetime: int = 86_400) -> str:
    """An access token of a user of the shop.

    Parameters:
        user: the user's key.
        lifetime: in seconds.
    """
    from plectrum.auth.tokens import Tokens

    return Tokens(key=SECRET_KEY, access_lifetime=lifetime).create_pair(user).access_token
