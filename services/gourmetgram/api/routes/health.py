"""How the API and its stores are, for people and for health checks."""

import asyncio
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Response

from gourmetgram.api.context import Context, Parts
from gourmetgram.api.errors import ApiError
from gourmetgram.api.metrics import Waiting, render
from gourmetgram.api.models import Health

router = APIRouter(tags=["operations"])

PATIENCE_SECONDS = 2.0
OUTBOX_SECONDS = 1.0

WAITING = """
SELECT count(*) AS rows, greatest(0, coalesce(extract(epoch FROM now() - min(created_at)), 0))::float8 AS seconds
FROM outbox
"""


async def _state(check: Awaitable[object]) -> Literal["up", "down"]:
    try:
        await asyncio.wait_for(check, PATIENCE_SECONDS)
    except (ApiError, OSError, TimeoutError):
        return "down"
    return "up"


async def _reach_broker(servers: str) -> None:
    host, port = servers.split(",", maxsplit=1)[0].rsplit(":", 1)
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()


async def dependencies(parts: Context) -> dict[str, Literal["up", "down", "off"]]:
    """State of `postgres`, `object_storage` and `kafka`; takes up to PATIENCE_SECONDS."""
    postgres, storage = await asyncio.gather(_state(parts.database.row("SELECT 1")), _state(parts.store.ping()))
    states: dict[str, Literal["up", "down", "off"]] = {"postgres": postgres, "object_storage": storage, "kafka": "off"}
    if parts.settings.streaming:
        states["kafka"] = await _state(_reach_broker(parts.settings.kafka_bootstrap_servers))
    return states


@router.get("/health", responses={503: {"model": Health, "description": "a store that every request needs is away"}})
async def health(parts: Parts, response: Response) -> Health:
    """`ok`, `degraded` (events wait in the outbox until the broker is back), or `down`."""
    states = await dependencies(parts)
    status: Literal["ok", "degraded", "down"] = "ok"
    if "down" in (states["postgres"], states["object_storage"]):
        status = "down"
        response.status_code = 503
    elif states["kafka"] == "down":
        status = "degraded"
    settings = parts.settings
    return Health(status=status, version=settings.api_version, kafka_enabled=settings.streaming, dependencies=states)


async def waiting(parts: Context) -> Waiting | None:
    """What waits in the outbox, or None when PostgreSQL is away."""
    try:
        row = await asyncio.wait_for(parts.database.row(WAITING), OUTBOX_SECONDS)
    except (ApiError, TimeoutError):
        return None  # the other figures are wanted most when PostgreSQL is away
    assert row is not None  # noqa: S101 - an aggregate is one row
    return Waiting(row["rows"], row["seconds"])


@router.get("/metrics", include_in_schema=False)
async def metrics(parts: Parts) -> Response:
    """Counters and times of all workers, and what waits in the outbox, for Prometheus."""
    return render(await waiting(parts))
