"""A load client that costs little: prebuilt HTTP/1.1 requests over kept connections, one at a time on each.

It runs in a process of its own, reads a Load as JSON from standard input and writes a Result to standard output:
`python -m tests.bench.http_load < load.json`.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import cast

import uvloop

ROOT = Path(__file__).parents[2]
UNIQUE = "{unique}"
"""Stands in a request for 32 characters that never come twice (for idempotency keys)."""


@dataclass(frozen=True)
class Load:
    """What to send: `requests` are whole HTTP requests; connection n sends every `connections`-th of them, in turn.

    `rate` is how many a second all connections send together; 0 means as many as are answered.
    """

    address: str
    requests: list[str]
    connections: int = 32
    warm_up_seconds: float = 2.0
    seconds: float = 5.0
    rate: float = 0.0


@dataclass
class Result:
    """What came back after the warm-up; latencies in milliseconds, `failures` by HTTP status (0: connection lost)."""

    rate: float
    p50: float
    p99: float
    answers: int
    failures: dict[str, int]


def run(load: Load) -> Result:
    """Send the load from another process and wait for its result."""
    process = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=load.warm_up_seconds + load.seconds + 30,
    )
    return Result(**json.loads(process.stdout))


class Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered and `pause` seconds have passed since that was sent.

    Latencies and statuses go to a shared list.
    """

    def __init__(self, requests: list[str], answered: list[tuple[float, float, int]], pause: float) -> None:
        self._requests = cycle([request.partition(UNIQUE) for request in requests])
        self._answered = answered
        self._pause = pause
        self._received = b""
        self._numbers = count(time.time_ns() * 1_000)
        self._transport: asyncio.Transport | None = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if separator and len(body) >= _content_length(head):
            self._answered.append((self._sent, time.perf_counter(), int(head[9:12])))
            self._received = b""
            self._send_when_due()

    def connection_lost(self, _: Exception | None) -> None:
        if self._transport:
            self._answered.append((self._sent, time.perf_counter(), 0))

    def close(self) -> None:
        if self._transport:
            self._transport.abort()
            self._transport = None

    def _send_when_due(self) -> None:
        rest = self._sent + self._pause - time.perf_counter()
        if rest > 0:
            asyncio.get_running_loop().call_later(rest, self._send)
        else:
            self._send()

    def _send(self) -> None:
        before, unique, after = next(self._requests)
        text = f"{before}{next(self._numbers):032x}{after}" if unique else before
        self._sent = time.perf_counter()
        if self._transport:
            self._transport.write(text.encode())


def _content_length(head: bytes) -> int:
    """A 204 has none."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def send(load: Load) -> Result:
    """Open the connections, let them run, and sum up what was answered after the warm-up."""
    host, _, port = load.address.rpartition(":")
    answered: list[tuple[float, float, int]] = []
    loop = asyncio.get_running_loop()
    pause = load.connections / load.rate if load.rate else 0.0
    connections = []
    for number in range(load.connections):
        requests = load.requests[number :: load.connections]
        _, connection = await loop.create_connection(
            lambda r=requests: Connection(r, answered, pause),  # type: ignore[misc]
            host,
            int(port),
        )
        connections.append(connection)
        await asyncio.sleep(pause / load.connections)
    start = time.perf_counter() + load.warm_up_seconds
    await asyncio.sleep(load.warm_up_seconds + load.seconds)
    end = time.perf_counter()
    for connection in connections:
        connection.close()
    return summary([row for row in answered if start <= row[0] and row[1] <= end], end - start)


def summary(answered: list[tuple[float, float, int]], seconds: float) -> Result:
    """Rate and latencies of what succeeded, and how often something else came back."""
    good = sorted(received - sent for sent, received, status in answered if 200 <= status < 300)
    failures = Counter(str(status) for _, _, status in answered if not 200 <= status < 300)
    if not good:
        raise RuntimeError(f"expected answers, got none that succeeded, and these: {dict(failures)}")
    p50, p99 = (1000 * good[int(len(good) * share)] for share in (0.5, 0.99))
    return Result(len(good) / seconds, p50, p99, len(good), dict(failures))


if __name__ == "__main__":
    json.dump(asdict(uvloop.run(send(Load(**json.load(sys.stdin))))), sys.stdout)
