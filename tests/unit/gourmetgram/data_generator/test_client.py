import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gourmetgram.data_generator.client import ApiClient, Refused, Write

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VIEW = Write("POST", "/images/1/view", "key-1", "token-1")


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[ApiClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ApiClient(f"http://127.0.0.1:{runner.addresses[0][1]}", connections=2) as client:
        yield client
    await runner.cleanup()


async def test_a_write_is_repeated_with_the_same_key_until_it_is_acknowledged() -> None:
    seen: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append((request.headers["Idempotency-Key"], request.headers["Authorization"]))
        if len(seen) == 1:
            return web.Response(status=503)
        if len(seen) == 2:
            assert request.transport is not None
            request.transport.abort()  # the write happened, its answer is lost
        if len(seen) == 3:
            return web.Response(status=500)
        return web.json_response({"id": 9}, status=201)

    async with server(answer) as client:
        assert await client.write(VIEW) == {"id": 9}
        assert client.retries == 3
        assert not client.is_down
    assert seen == [("key-1", "Bearer token-1")] * 4


async def test_retry_after_is_honoured() -> None:
    times: list[float] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        times.append(time.monotonic())
        headers = {"Retry-After": "1"} if len(times) == 1 else {}
        return web.json_response({}, status=503 if len(times) == 1 else 201, headers=headers)

    async with server(answer) as client:
        await client.write(VIEW)
    assert times[1] - times[0] >= 1.0


async def test_a_refusal_is_not_repeated_and_says_why() -> None:
    calls = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.json_response({"error": "image_deleted", "detail": "image 1 is gone"}, status=410)

    async with server(answer) as client:
        with pytest.raises(Refused, match="410 image_deleted: image 1 is gone"):
            await client.write(VIEW)
    assert calls == 1


async def test_an_empty_answer_is_an_answer() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    async with server(answer) as client:
        assert await client.write(VIEW) == {}
