"""The API as a process of its own, so that both versions can run at once and a test may point one elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx

from labkit.stack import Stack
from tests.support.processes import ServiceProcess, free_port

TIMEOUT_SECONDS = 30


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


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """What a worker of the API does for ever, done here until the end of `with`; what ended it earlier is raised."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class ApiProcess(ServiceProcess):
    """One version of the API; the end of `with` asks it to stop, and it must."""

    def __init__(self, stack: Stack, version: str, log: Path, **changes: str) -> None:
        self.version = version
        address = f"127.0.0.1:{free_port()}"
        super().__init__("api", log, environment(stack, version) | {"API_LISTEN": address} | changes, address)

    @property
    def streaming(self) -> bool:
        return self.version == "v2"

    def __enter__(self) -> Self:
        super().__enter__()
        self.http = httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.stop()
