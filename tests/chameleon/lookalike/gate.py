"""Stands before the services: brings the cloud up to now, lets faults happen, checks tokens, writes down requests."""

import re
import time
from dataclasses import dataclass

from fastapi.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.chameleon.lookalike import errors
from tests.chameleon.lookalike.tokens import Token
from tests.chameleon.lookalike.world import World

OPEN = re.compile(r"/$|/v3$|/v3/auth/|/v3/OS-FEDERATION/|/(compute/v2\.1|network|image)$|/hub/|/reference/|/lookalike/")
"""Paths that nobody needs a token for."""


@dataclass(frozen=True)
class Request:
    """A request, and how it was answered; the user and project are those of its token."""

    at: float
    method: str
    path: str
    query: str
    status: int
    user: str = ""
    project: str = ""
    seconds: float = 0.0


class Gate:
    """ASGI application around another one."""

    def __init__(self, inner: ASGIApp, world: World) -> None:
        self._inner, self._world = inner, world
        self.requests: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        scope["path"] = re.sub(r"/(?=/)", "", scope["path"]).rstrip("/") or "/"
        self._world.advance()
        scope["token"] = token = self._token(scope)
        began, statuses = time.monotonic(), [0]

        async def counted(message: Message) -> None:
            statuses.append(message.get("status", statuses[-1]))
            await send(message)

        try:
            await self._next(scope, token)(scope, receive, counted)
        finally:
            self._log(scope, token, statuses[-1], time.monotonic() - began)

    def _token(self, scope: Scope) -> Token | None:
        text = dict(scope["headers"]).get(b"x-auth-token", b"").decode()
        return self._world.tokens.find(text, self._world.now())

    def _next(self, scope: Scope, token: Token | None) -> ASGIApp:
        """Who answers: a fault, the token check, or the service."""
        path, method = scope["path"], scope["method"]
        if path.startswith("/lookalike/"):
            return self._inner
        for fault in self._world.faults:
            if fault.takes(method, path):
                return HTMLResponse(fault.body, fault.status)
        if not OPEN.match(path) and not _good(token, path):
            error = errors.keystone(401, errors.UNAUTHORIZED)
            return JSONResponse(error.body, 401, headers={"WWW-Authenticate": f"Keystone uri='{self._world.base}'"})
        if token:
            self._world.tokens.spend(token)
        return self._inner

    def _log(self, scope: Scope, token: Token | None, status: int, seconds: float) -> None:
        if scope["path"].startswith("/lookalike/"):
            return
        user = token.user.name if token else ""
        project = token.project.name if token and token.project else ""
        query = scope["query_string"].decode()
        now = self._world.now()
        self.requests.append(Request(now, scope["method"], scope["path"], query, status, user, project, seconds))


def _good(token: Token | None, path: str) -> bool:
    """Keystone answers for a token without a project, too; the other services do not."""
    return token is not None and (token.project is not None or path.startswith("/v3/"))
