"""A headless Chromium, driven over its own pipe: no driver, no port, and no other host.

`python -m tests.support.chromium ADDRESS FILE.png [--width 390] [--dark] [--wait "an expression"]` makes a picture.
"""

import argparse
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip
SECONDS = 30
ON_ITS_WAY = "Inspected target navigated or closed"


class Refused(Exception):
    """The browser did not do what a command says."""

    def __init__(self, method: str, message: str) -> None:
        super().__init__(f"{method}: {message}")
        self.message = message


def program() -> str | None:
    """Where Chromium is on this machine, if it is."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """One page of one browser; `with` starts and ends it, and its profile is a folder that goes away."""

    def __init__(self, width: int = 1200, height: int = 900, *, dark: bool = False) -> None:
        self._width, self._height, self._dark = width, height, dark
        self._number = 0
        self._session: dict[str, str] = {}
        self._unread = b""
        self.requests: list[str] = []
        self.problems: list[str] = []

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._start(program() or "chromium", Path(self._profile.name))
        try:
            self._open_page()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open_page(self) -> None:
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.tell(f"{domain}.enable")
        self._look_like(self._height)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def _start(self, executable: str, profile: Path) -> None:
        its_in, self._to = os.pipe()
        self._from, its_out = os.pipe()
        # The browser reads commands from 3 and answers on 4; a shell (not each sh knows descriptors above 9) puts our
        # pipes there.
        command = ["bash", "-c", f'exec "$@" 3<&{its_in} 4>&{its_out}', "bash", executable, *FLAGS]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={profile}"],
            pass_fds=(its_in, its_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_in)
        os.close(its_out)

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol and its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters} | self._session
        os.write(self._to, json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                if "error" in message:
                    raise Refused(method, message["error"]["message"])
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            data = os.read(self._from, 1 << 20)
            assert data, "Chromium has ended"
            self._unread += data
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(parameters))
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["source"] != "network":
            self.problems.append(parameters["entry"]["text"])

    def _look_like(self, height: int) -> None:
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=self._width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Go to an address; the page need not be there yet when this returns."""
        self.tell("Page.navigate", url=url)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_until(self, expression: str, seconds: float = SECONDS) -> None:
        """Return when the expression is true in the page; fail after these seconds, with the page's text."""
        deadline = time.monotonic() + seconds
        while not self._ask_again(expression):
            assert time.monotonic() < deadline, f"{expression}\n{self._ask_again('document.body.innerText')}"
            time.sleep(0.05)

    def _ask_again(self, expression: str) -> Any:
        """The same, or None while the browser is on its way to another page."""
        try:
            return self.ask(expression)
        except Refused as refused:
            if refused.message != ON_ITS_WAY:
                raise
            return None

    def picture(self, file: Path) -> None:
        """The whole page as PNG."""
        self._look_like(int(self.ask("document.documentElement.scrollHeight")))
        file.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))
        self._look_like(self._height)


def _main() -> None:
    parser = argparse.ArgumentParser(description="A picture of a page, the browser's own fonts and colours included.")
    parser.add_argument("address")
    parser.add_argument("file", type=Path)
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--wait", default="document.readyState === 'complete'")
    asked = parser.parse_args()
    with Chromium(asked.width, dark=asked.dark) as browser:
        browser.open(asked.address)
        browser.wait_until(asked.wait, 4 * SECONDS)
        browser.picture(asked.file)


if __name__ == "__main__":
    _main()
