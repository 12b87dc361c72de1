"""The page /live and its stream of snapshots. Both are public reads, as /images/ is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.staticfiles import StaticFiles

from gourmetgram.api.context import Context
from gourmetgram.api.live.collector import Collector
from gourmetgram.api.live.stopping import when_told_to_stop

STATIC: Final = Path(__file__).parent / "static"
RETRY_MILLISECONDS: Final = 2000
ONLY_OURS: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(tags=["live"])


async def _snapshots(request: Request) -> AsyncIterator[AsyncIterator[str]]:
    collector: Collector = request.app.state.live
    with collector.viewer() as snapshots:  # refuses before the answer begins
        yield snapshots


@router.get("/live", response_class=HTMLResponse)
async def live() -> HTMLResponse:
    """What the platform is doing, as it happens: a page for people."""
    headers = {"Content-Security-Policy": ONLY_OURS, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
    return HTMLResponse((STATIC / "live.html").read_bytes(), headers=headers)


# Not in the OpenAPI document, because the answer has no end, and programs that try a document's routes wait for it.
@router.get("/live/events", response_class=EventSourceResponse, include_in_schema=False)
async def live_events(
    snapshots: Annotated[AsyncIterator[str], Depends(_snapshots)],
) -> AsyncIterator[ServerSentEvent]:
    """What the page shows: one snapshot a second, as JSON in a server-sent event."""
    async for snapshot in snapshots:
        yield ServerSentEvent(raw_data=snapshot, retry=RETRY_MILLISECONDS)


def serve_live(app: FastAPI) -> None:
    """Add /live."""
    app.include_router(router)
    app.mount("/live/assets", StaticFiles(directory=STATIC))


@asynccontextmanager
async def looking(app: FastAPI, parts: Context) -> AsyncIterator[None]:
    """The collector behind /live, from the start of a worker to its end."""
    app.state.live = collector = Collector(parts)
    with when_told_to_stop(collector.end_streams):
        yield
    await collector.close()
