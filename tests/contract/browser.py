"""A real browser (chromium, headless), driven by the Chrome DevTools Protocol; no more of it than the tests need."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.contract.support import until

PATH = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


_LISTENING = re.compile(r"DevTools listening on (ws://\S+)")


class Browser:
    """One page.

    Parameters:
        profile: an empty directory.
    """

    def __init__(self, profile: Path) -> None:
        assert PATH is not None
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        said = profile.with_suffix(".log")
        with said.open("w") as log:
            command = [PATH, *options, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(lambda: _LISTENING.search(said.read_text()))
        address = _LISTENING.search(said.read_text())
        assert address is not None
        self._context = contextlib.ExitStack()
        self._socket = self._context.enter_context(connect(address[1], max_size=None))
        self._ids = itertools.count(1)
        self._session: str | None = None
        #: Status and coding of each file when it was first loaded, by path.
        self.loaded: dict[str, tuple[int, str]] = {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Calls a method of the protocol."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._socket.recv(30))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.responseReceived":
            response = event["params"]["response"]
            headers = {name.lower(): value for name, value in response["headers"].items()}
            path = re.sub(r"^https?://[^/]+", "", response["url"])
            self.loaded.setdefault(path, (response["status"], headers.get("content-encoding", "")))
        elif event.get("method") == "Page.javascriptDialogOpening":
            self.call("Page.handleJavaScriptDialog", accept=True)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, url: str) -> None:
        """Goes to a page and waits for all of it."""
        self.going(lambda: self.call("Page.navigate", url=url))

    def going(self, step: Callable[[], Any]) -> None:
        """Does what leads to another page, and waits for all of that."""
        self.run("window.before = true")
        step()
        give_up = time.monotonic() + 30
        while self.run("window.before || document.readyState !== 'complete'"):
            assert time.monotonic() < give_up, self.run("document.body.innerText")
            time.sleep(0.05)

    def fill(self, **fields: str) -> None:
        """Types into the fields of a form."""
        for name, value in fields.items():
            self.run(f"document.getElementsByName({json.dumps(name)})[0].value = {json.dumps(value)}")

    def choose_file(self, name: str, path: Path) -> None:
        """Chooses a file in a file input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=f"input[name={name}]")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def click(self, selector: str) -> None:
        """Clicks on what leads to another page."""
        self.going(lambda: self.run(f"document.querySelector({json.dumps(selector)}).click()"))

    @property
    def text(self) -> str:
        """What a reader of the page sees."""
        return str(self.run("document.body.innerText"))

    def close(self) -> None:
        self._context.close()
        self._process.kill()
        self._process.wait()
