"""Notices go on whatever becomes of the connection they travel on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from gourmetgram.api.outbox_wakeup import CHANNEL, OutboxWakeup
from labkit.stack import Stack
from tests.integration.api.servers import environment, in_background
from tests.support.database import Rows

NOTICE_SECONDS = 10


@asynccontextmanager
async def slow_goodbye(server: str) -> AsyncIterator[str]:
    """An address that leads to a server, and that does not tell its clients when the server hangs up."""
    ends: list[asyncio.StreamWriter] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        with suppress(ConnectionError):
            while some := await reader.read(4096):
                writer.write(some)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*server.split(":"))
        await asyncio.gather(carry(from_server, writer), carry(reader, to_server))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
        host, port = proxy.sockets[0].getsockname()
        try:
            yield f"{host}:{port}"
        finally:
            for end in ends:
                end.close()
            for end in ends:
                with suppress(ConnectionError):
                    await end.wait_closed()


@pytest.fixture
def url(stack: Stack) -> str:
    return environment(stack, "v2")["DATABASE_URL"]


@pytest.fixture
async def noticed(url: str) -> AsyncIterator[asyncio.Event]:
    """Set by each notice."""
    event = asyncio.Event()
    listener = await asyncpg.connect(url)
    await listener.add_listener(CHANNEL, lambda *_: event.set())
    yield event
    await listener.close()


async def test_a_connection_used_between_the_server_s_goodbye_and_its_end(
    stack: Stack, url: str, noticed: asyncio.Event, rows: Rows
) -> None:
    async with slow_goodbye(stack.address("postgres")) as address:
        wakeup = OutboxWakeup(url.replace(stack.address("postgres"), address))
        async with in_background(wakeup.announce()):
            wakeup.committed()
            await asyncio.wait_for(noticed.wait(), NOTICE_SECONDS)
            assert rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'api_notices'")
            await asyncio.sleep(0.5)  # the goodbye arrives
            noticed.clear()
            wakeup.committed()
            await asyncio.wait_for(noticed.wait(), NOTICE_SECONDS)
