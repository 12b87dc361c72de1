"""What every route needs, built once per worker and reached through the request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from gourmetgram.api.database import Database
from gourmetgram.api.outbox_wakeup import OutboxWakeup
from gourmetgram.api.settings import ApiSettings
from gourmetgram.api.storage import PhotoStore
from gourmetgram.api.writes import Writer


@dataclass(frozen=True, slots=True)
class Context:
    """The adapters of one worker."""

    settings: ApiSettings
    database: Database
    store: PhotoStore
    writer: Writer
    wakeup: OutboxWakeup


async def _context(request: Request) -> Context:
    return request.app.state.context  # type: ignore[no-any-return]


Parts = Annotated[Context, Depends(_context)]
