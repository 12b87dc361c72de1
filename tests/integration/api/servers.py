"""The API as a process of its own, so that both versions can run at once and a test may point one elsewhere."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx

from labkit.stack import Stack

TIMEOUT_SECONDS = 30


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Return when the condition holds; fail after these seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.05)


def environment(stack: Stack, version: str) -> dict[str, str]:
    """What the Compose file tells the API, for the servers of this stack."""
    return {
        "API_VERSION": version,
        "API_WORKERS": "1",
        "DATABASE_URL": f"postgresql://api:{stack.setting('API_DB_PASSWORD')}@{stack.address('postgres')}/gourmetgram",
        "KAFKA_BOOTSTRAP_SERVERS": stack.address("redpanda"),
        "S3_ENDPOINT": stack.url("minio"),
        "S3_ACCESS_KEY": stack.setting("S3_API_ACCESS_KEY"),
        "S3_SECRET_KEY": stack.setting("S3_API_SECRET_KEY"),
    }


class ApiProcess:
    """`python -m gourmetgram.api`, from `with` until its end."""

    def __init__(self, stack: Stack, version: str, log: Path, **changes: str) -> None:
        self.version = version
        self.url = f"http://127.0.0.1:{free_port()}"
        self.http = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS)
        self._log = log
        listen = {"API_LISTEN": self.url.removeprefix("http://")}
        self._environment = os.environ | environment(stack, version) | listen | changes

    @property
    def streaming(self) -> bool:
        return self.version == "v2"

    def log(self) -> str:
        return self._log.read_text()

    def answers(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            return self.http.get("/metrics").is_success
        except httpx.TransportError:
            return False

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gourmetgram.api"], env=self._environment, stdout=log, stderr=log
            )
        wait_until(self.answers, "the API answers")
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
            raise
