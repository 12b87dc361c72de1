"""A relay as a process of its own, which a test may stop, freeze and kill."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from labkit.stack import Stack


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Return when the condition holds; fail after these seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.02)


def relay_url(stack: Stack) -> str:
    """How the relay logs in to PostgreSQL."""
    return f"postgresql://outbox_relay:{stack.setting('RELAY_DB_PASSWORD')}@{stack.address('postgres')}/gourmetgram"


class RelayProcess:
    """`python -m gourmetgram.outbox_relay` on the stack's PostgreSQL and broker; killed at the end of `with`."""

    def __init__(self, stack: Stack, log: Path, **environment: str) -> None:
        self._address = f"127.0.0.1:{free_port()}"
        self._log = log
        self._environment = {
            **os.environ,
            "DATABASE_URL": relay_url(stack),
            "KAFKA_BOOTSTRAP_SERVERS": stack.address("redpanda"),
            "RELAY_LISTEN": self._address,
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gourmetgram.outbox_relay"], env=self._environment, stdout=log, stderr=log
            )
        return self

    def send(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self._process.wait(20)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels; 0 when it is not there, -1 when the relay does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self._address}/metrics", timeout=2) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return -1
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def leads(self) -> bool:
        return self.metric("relay_leader") == 1

    def log(self) -> str:
        return self._log.read_text()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
