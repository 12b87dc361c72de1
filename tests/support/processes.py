"""Services of ours as processes of their own, which a test may point elsewhere, freeze and kill."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import httpx

READY_SECONDS = 90
STOP_SECONDS = 15
# When pytest is killed, what it started is told to stop (Linux; elsewhere nothing does that for us).
ENDS_WITH_ITS_PARENT = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
    """Return when the condition holds; fail after these seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.02)


class ServiceProcess:
    """`python -m gourmetgram.NAME`, from `with` until its end; what it prints goes to a log file.

    Args:
        name: the service's package below `gourmetgram`.
        log: file that gets its output, after what is there.
        environment: variables to add to ours.
        address: host:port where it answers over HTTP; `with` waits until it does. Without one nothing is waited for.
        ready: the path that is asked, such as /metrics or /health; any 2xx will do.
    """

    def __init__(
        self, name: str, log: Path, environment: Mapping[str, str], address: str = "", ready: str = "/metrics"
    ) -> None:
        self.name = name
        self.url = f"http://{address}" if address else ""
        self._ready = ready
        self._log = log
        self._environment = os.environ | dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it without waiting for anything."""
        command = [*ENDS_WITH_ITS_PARENT, sys.executable, "-m", f"gourmetgram.{self.name}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when it answers; fail with its log when it ends instead."""

        def answers_or_fails() -> bool:
            assert self.runs, f"{self.name} has ended:\n{self.log()}"
            return self.answers()

        wait_until(answers_or_fails, f"{self.name} answers", seconds)

    def answers(self) -> bool:
        """Whether the path that tells readiness is answered with success."""
        try:
            return httpx.get(self.url + self._ready, timeout=2).is_success
        except httpx.TransportError:
            return False

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP and SIGCONT, and go on at once."""
        self._started.send_signal(number)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._started.kill()
        self._started.wait(STOP_SECONDS)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """Ask it to stop and return its exit status; one that does not stop in time is killed, and that is an error."""
        self._started.terminate()
        return self.wait(seconds)

    def wait(self, seconds: float) -> int:
        """Its exit status when it has ended by itself; it is killed, and that is an error, after these seconds."""
        try:
            return self._started.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def log(self) -> str:
        """What it has printed so far."""
        return self._log.read_text()

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; NaN, which equals and exceeds nothing, when there is no answer.

        A name that the service does not know is a mistake in the test.
        """
        try:
            lines = httpx.get(f"{self.url}/metrics", timeout=2).text.splitlines()
        except httpx.TransportError:
            return float("nan")
        assert any(line.startswith(f"# TYPE {name} ") for line in lines), f"{self.name} has no metric {name}"
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    @property
    def _started(self) -> "subprocess.Popen[bytes]":
        assert self._process, f"{self.name} was not started"
        return self._process

    def __enter__(self) -> Self:
        self.start()
        if self.url:
            try:
                self.wait_until_ready()
            except BaseException:
                self.kill()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.runs:
            self.kill()
