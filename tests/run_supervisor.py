"""A supervisor over stand-in workers in a process of its own.

`run_supervisor.py DIRECTORY WORKERS DRAIN [watch] [spare] [pin] [age=SECONDS]`
"""

from __future__ import annotations

import pathlib
import sys

from plectrum import systemd
from plectrum.conf import Settings
from plectrum.listeners import open_listeners
from plectrum.reloader import Watcher
from plectrum.supervisor import Supervisor
from plectrum.wear import Wear

if __name__ == "__main__":
    directory, workers, drain = pathlib.Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    listeners = open_listeners(Settings(port=0))
    supervisor = Supervisor(
        [sys.executable, str(pathlib.Path(__file__).parent / "standin_worker.py"), str(directory)],
        workers,
        listeners,
        drain_timeout=drain,
        on_ready=lambda: print(f"READY {listeners.urls[0].rpartition(':')[2]}", flush=True),
        spare="spare" in sys.argv,
        pin="pin" in sys.argv,
        wear=Wear(age=next((float(word[4:]) for word in sys.argv if word.startswith("age=")), 0.0)),
        notify=systemd.notify,
        watcher=Watcher([directory]) if "watch" in sys.argv else None,
    )
    sys.exit(supervisor.run())
