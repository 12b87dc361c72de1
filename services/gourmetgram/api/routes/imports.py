"""History is imported in batches."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Header

from gourmetgram.api.auth import ImportCaller
from gourmetgram.api.context import Parts
from gourmetgram.api.errors import ApiError, documented
from gourmetgram.api.imports import import_batch
from gourmetgram.api.models import ImportBatch, Imported

router = APIRouter(tags=["import"])

RequiredKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The name of this batch: a batch that is sent again is not imported again",
    ),
]


@router.post("/import/events", responses=documented(400, 401, 403, 409, 413, 422, 503))
async def import_events(parts: Parts, caller: ImportCaller, batch: ImportBatch, key: RequiredKey) -> Imported:  # noqa: ARG001
    """Import users, posts and events of the past, whole or not at all. It needs a token of scope `import`."""
    try:
        return await import_batch(parts, batch, key)
    except asyncpg.UniqueViolationError as error:
        raise ApiError(409, "imported_before", f"Something in this batch exists already: {error.detail}") from error
