"""A worker that keeps the supervisor's contract without the extension: answers every connection with its pid.

What it does besides is steered by files in the directory given: `fail` makes the start fail with that file's text,
`fail-N` that of worker N alone, `worn-N` makes that one ask for a successor after its first answer, `exit` makes it
end without a word, `slow` makes it need that many seconds to finish.
"""

from __future__ import annotations

import json
import os
import pathlib
import selectors
import signal
import socket
import sys
import time
from typing import NoReturn

from plectrum.worker import die_with


def fail(control: socket.socket, why: pathlib.Path) -> NoReturn:
    control.sendall(b"!" + why.read_bytes())
    sys.exit(3)


def main(directory: pathlib.Path) -> None:
    job = json.loads(os.environ["PLECTRUM_INTERNAL_WORKER"])
    die_with(job["parent"])
    control = socket.socket(fileno=job["control"])
    if (directory / "fail").exists():
        fail(control, directory / "fail")
    if (directory / "exit").exists():
        os._exit(7)
    message, listen_fds, _, _ = socket.recv_fds(control, 4096, 64)
    if not message:
        return
    place = directory / f"fail-{json.loads(message)['number']}"
    if place.exists():
        fail(control, place)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    selector = selectors.DefaultSelector()
    listening = [socket.socket(fileno=number) for number in listen_fds]
    for each in listening:
        selector.register(each, selectors.EVENT_READ)
    control.sendall(b"R")
    while not stopping:
        for key, _ in selector.select(0.05):
            try:
                connection, _ = key.fileobj.accept()  # type: ignore[union-attr]
            except BlockingIOError:
                continue
            connection.sendall(f"{os.getpid()} {json.loads(message)['cores'][0]}\n".encode())
            connection.close()
            worn = directory / f"worn-{json.loads(message)['number']}"
            if worn.exists():
                worn.unlink()
                control.sendall(b"W")
    if (directory / "slow").exists():
        time.sleep(float((directory / "slow").read_text()))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
