"""The application: reads the settings, builds the adapters, and puts the routes together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from gourmetgram.api import errors
from gourmetgram.api.auth import Tokens
from gourmetgram.api.context import Context
from gourmetgram.api.database import Database
from gourmetgram.api.docs import serve_docs
from gourmetgram.api.live.page import looking, serve_live
from gourmetgram.api.maintenance import look_after
from gourmetgram.api.middleware import Surroundings
from gourmetgram.api.moderation.pages import serve_moderation
from gourmetgram.api.outbox_wakeup import OutboxWakeup
from gourmetgram.api.removal import DELETE
from gourmetgram.api.routes import engagement, health, images, imports, users
from gourmetgram.api.settings import ApiSettings
from gourmetgram.api.storage import PhotoStore
from gourmetgram.api.uploads import UPLOAD
from gourmetgram.api.writes import Writer
from gourmetgram.core.logs import set_up_logging


def _writer(database: Database, streaming: bool, wakeup: OutboxWakeup) -> Writer:
    kinds = [UPLOAD, DELETE, engagement.COMMENT, engagement.FLAG_ON_IMAGE, engagement.FLAG_ON_COMMENT]
    return Writer(database, streaming, [*kinds, engagement.view_write(streaming)], wakeup.committed)


async def _connect(settings: ApiSettings) -> Context:
    url = settings.database_url.get_secret_value()
    database, wakeup = await Database.open(url, settings.database_connections), OutboxWakeup(url)
    store = PhotoStore.connect(
        settings.s3_endpoint,
        settings.s3_access_key.get_secret_value(),
        settings.s3_secret_key.get_secret_value(),
        settings.s3_bucket,
    )
    return Context(settings, database, store, _writer(database, settings.streaming, wakeup), wakeup)


def create_app() -> FastAPI:
    """The API of one worker, set up from the environment."""
    set_up_logging()
    settings = ApiSettings()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = await _connect(settings)
        app.state.context, app.state.tokens = context, Tokens(context.database)
        tasks = [asyncio.create_task(look_after(context.database, context.store))]
        if settings.streaming:
            tasks.append(asyncio.create_task(context.wakeup.announce()))
        async with looking(app, context):
            yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await context.database.close()
        context.store.close()

    app = FastAPI(
        title=f"GourmetGram API, {settings.api_version}",
        version=settings.api_version,
        description="Photos of food, and what people think of them. Join with `POST /users/`, then **Authorize**.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # asked about on every request otherwise
    )
    for router in (engagement.router, images.router, users.router, imports.router, health.router):
        app.include_router(router)
    errors.install(app)
    serve_docs(app)
    serve_live(app)
    serve_moderation(app)
    app.add_middleware(Surroundings)
    return app
