"""Who is calling: bearer tokens, of which only hashes are stored."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from cachetools import TTLCache
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gourmetgram.api.database import Database
from gourmetgram.api.errors import ApiError

CACHE_SECONDS = 10
CACHE_SIZE = 10_000

FIND = """
SELECT t.scope, coalesce(t.user_id, 0) AS user_id, coalesce(u.is_test_account, false) AS is_test
FROM api_tokens t LEFT JOIN users u ON u.id = t.user_id
WHERE t.token_hash = $1 AND t.revoked_at IS NULL
"""

_bearer = HTTPBearer(auto_error=False, description="The token that POST /users/ returned")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a valid token; `user_id` is 0 for a program's token."""

    user_id: int
    scope: str
    is_test: bool


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
        caller = Caller(row["user_id"], row["scope"], row["is_test"])
        self._known[digest] = caller
        return caller


async def any_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Caller:
    """The caller of a request, whatever the scope."""
    if credentials is None:
        raise _unauthorized("This needs a token: send the header `Authorization: Bearer <token>`.")
    caller = await request.app.state.tokens.caller(credentials.credentials)
    if caller is None:
        raise _unauthorized("This token is not known, or was revoked. POST /users/ gives a new user a token.")
    return caller  # type: ignore[no-any-return]


AnyCaller = Annotated[Caller, Depends(any_caller)]


def _with_scope(*scopes: str) -> Any:
    async def check(caller: AnyCaller) -> Caller:
        if caller.scope not in scopes:
            wanted = " or ".join(scopes)
            raise ApiError(
                403, "wrong_scope", f"This needs a token of scope {wanted}; yours has the scope {caller.scope}."
            )
        return caller

    return Depends(check)


UserCaller = Annotated[Caller, _with_scope("user")]
UserOrModerator = Annotated[Caller, _with_scope("user", "moderator")]
ImportCaller = Annotated[Caller, _with_scope("import")]


def _unauthorized(detail: str) -> ApiError:
    return ApiError(401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})
