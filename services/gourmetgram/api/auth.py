"""Who is calling: bearer tokens, of which only hashes are stored."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from cachetools import TTLCache
from fastapi import Request, Security
from fastapi.security import HTTPBearer

from gourmetgram.api.database import Database
from gourmetgram.api.errors import ApiError

CACHE_SECONDS = 10
CACHE_SIZE = 10_000

FIND = """
SELECT t.id, t.name, t.scope, coalesce(t.user_id, 0) AS user_id, coalesce(u.is_test_account, false) AS is_test
FROM api_tokens t LEFT JOIN users u ON u.id = t.user_id
WHERE t.token_hash = $1 AND t.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a valid token; `user_id` is 0 for a program's or a moderator's token."""

    user_id: int
    scope: str
    is_test: bool
    token_id: int
    token_name: str


def new_token() -> str:
    """A token nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token. A plain hash is enough, because a token is random and long."""
    return sha256(token.encode()).digest()


class Tokens:
    """Looks tokens up, and remembers the answer for 10 s: a revoked token works at most that much longer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: TTLCache[bytes, Caller] = TTLCache(CACHE_SIZE, CACHE_SECONDS)

    async def caller(self, token: str) -> Caller | None:
        """Whose token this is, or None."""
        digest = token_hash(token)
        if (known := self._known.get(digest)) is not None:
            return known
        row = await self._database.row(FIND, digest)
        if row is None:
            return None
        caller = Caller(row["user_id"], row["scope"], row["is_test"], row["id"], row["name"])
        self._known[digest] = caller
        return caller


class _CallerOf(HTTPBearer):
    """Whose request this is, if their token has one of these scopes. One dependency: each is paid by every request."""

    def __init__(self, *scopes: str) -> None:
        super().__init__(auto_error=False, scheme_name="HTTPBearer", description="The token that POST /users/ returned")
        self._scopes = scopes

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        credentials = await super().__call__(request)
        if credentials is None:
            raise _unauthorized("This needs a token: send the header `Authorization: Bearer <token>`.")
        caller: Caller | None = await request.app.state.tokens.caller(credentials.credentials)
        if caller is None:
            raise _unauthorized("This token is not known, or was revoked. POST /users/ gives a new user a token.")
        if caller.scope not in self._scopes:
            wanted = " or ".join(self._scopes)
            raise ApiError(
                403, "wrong_scope", f"This needs a token of scope {wanted}; yours has the scope {caller.scope}."
            )
        return caller


UserCaller = Annotated[Caller, Security(_CallerOf("user"))]
UserOrModerator = Annotated[Caller, Security(_CallerOf("user", "moderator"))]
ImportCaller = Annotated[Caller, Security(_CallerOf("import"))]
ModeratorCaller = Annotated[Caller, Security(_CallerOf("moderator"))]


def _unauthorized(detail: str) -> ApiError:
    return ApiError(401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})
