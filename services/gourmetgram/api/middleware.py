"""What surrounds every request: its id, its time, safe headers, and the largest body it may have.

Written against ASGI itself, because a few microseconds here are paid by every request.
"""

import re
import secrets
from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from gourmetgram.api import metrics
from gourmetgram.api.errors import ApiError
from gourmetgram.api.photos import MAX_BYTES

MULTIPART_OVERHEAD = 64 * 1024
BODY_LIMITS = {"/upload/": MAX_BYTES + MULTIPART_OVERHEAD, "/import/events": 16 * 1024 * 1024}
OTHER_BODY_LIMIT = 64 * 1024
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def _request_id(scope: Scope) -> str:
    """The id that the client gave its request, so that both logs can be read together, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(8)


def _limited(receive: Receive, limit: int) -> Receive:
    """Count what arrives, and refuse as soon as it is too much."""
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise ApiError(413, "too_large", f"Expected a body of at most {limit:,} bytes.")
        return message

    return receive_some


class Surroundings:
    """The one middleware of the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500
        scope["request_id"] = request_id = _request_id(scope)
        bind_contextvars(request_id=request_id)  # each request is a task with a context of its own

        async def send_more(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        try:
            limit = BODY_LIMITS.get(scope["path"], OTHER_BODY_LIMIT)
            await self._app(scope, _limited(receive, limit), send_more)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            metrics.observe(scope["method"], route, status, perf_counter() - started)
