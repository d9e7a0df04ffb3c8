"""A worker that keeps the supervisor's contract without the extension: answers every connection with its pid.

What it does besides is steered by files in the directory given: `fail` makes the start fail with that file's text,
`fail-N` that of worker N alone, `exit` makes it end without a word, `slow` makes it need that many seconds to finish.
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

from plectrum.worker import die_with


def main(directory: pathlib.Path) -> None:
    job = json.loads(os.environ["PLECTRUM_INTERNAL_WORKER"])
    die_with(job["parent"])
    for name in ("fail", f"fail-{job['number']}"):
        if (directory / name).exists():
            os.write(job["ready_fd"], b"!" + (directory / name).read_bytes())
            sys.exit(3)
    if (directory / "exit").exists():
        os._exit(7)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    selector = selectors.DefaultSelector()
    listening = [socket.socket(fileno=number) for number in job["listen_fds"]]
    for each in listening:
        selector.register(each, selectors.EVENT_READ)
    os.write(job["ready_fd"], b"R")
    while not stopping:
        for key, _ in selector.select(0.05):
            try:
                connection, _ = key.fileobj.accept()  # type: ignore[union-attr]
            except BlockingIOError:
                continue
            connection.sendall(f"{os.getpid()}\n".encode())
            connection.close()
    if (directory / "slow").exists():
        time.sleep(float((directory / "slow").read_text()))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
