"""People join."""

from datetime import timedelta
from typing import Any

import asyncpg
from fastapi import APIRouter

from gourmetgram.api.auth import new_token, token_hash
from gourmetgram.api.context import Parts
from gourmetgram.api.errors import ApiError, documented
from gourmetgram.api.models import NewUser, User
from gourmetgram.api.writes import IdempotencyKey, Request, replay

router = APIRouter(tags=["users"])

TOKEN_REISSUE = timedelta(minutes=10)

INSERT_USER = """
INSERT INTO users (id, username, country_of_residence, year_of_birth, tos_version_accepted, tos_accepted_at,
                   is_test_account, created_at)
VALUES (coalesce($7, nextval('users_id_seq')), $1, $2, $3, $4, $6, $5, $6) RETURNING *
"""
CLAIM_KEY = """
INSERT INTO idempotency_keys (user_id, key, fingerprint, resource_id, created_at)
VALUES (0, $1, $2, nextval('users_id_seq'), $3) ON CONFLICT DO NOTHING RETURNING resource_id
"""
# The lock makes requests that are repeated at once wait for each other, so that one token is valid in the end.
PRIOR = "SELECT fingerprint, resource_id, created_at FROM idempotency_keys WHERE user_id = 0 AND key = $1 FOR UPDATE"
STORE_HASH = "INSERT INTO api_tokens (token_hash, user_id, scope, created_at) VALUES ($1, $2, 'user', $3)"
REVOKE_HASHES = "UPDATE api_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL"


@router.post("/users/", status_code=201, responses=documented(400, 409, 413, 422, 503))
async def join(parts: Parts, new: NewUser, key: IdempotencyKey = None) -> User:
    """Join. The answer holds the token that proves who you are; it is shown this once, and only a hash is kept.

    A repeated request with the same Idempotency-Key within 10 minutes gets a fresh token, and the first one ends.
    """
    request = Request.now(0, key, "user", new)
    token = new_token()
    try:
        async with parts.database.transaction() as connection:
            row = await _find_or_create(connection, new, request)
            await connection.execute(STORE_HASH, token_hash(token), row["id"], request.at)
    except asyncpg.UniqueViolationError as error:
        raise ApiError(409, "username_taken", f"The username {new.username} is taken; choose another.") from error
    return User(**{**row, "token": token})


async def _find_or_create(connection: Any, new: NewUser, request: Request) -> dict[str, Any]:
    user_id = None
    if request.key:
        user_id = await connection.fetchval(CLAIM_KEY, request.key, request.fingerprint, request.at)
        if user_id is None:
            return await _rejoin(connection, await connection.fetchrow(PRIOR, request.key), request)
    values = (new.username, new.country_of_residence, new.year_of_birth, new.tos_version_accepted, new.is_test_account)
    return dict(await connection.fetchrow(INSERT_USER, *values, request.at, user_id))


async def _rejoin(connection: Any, prior: Any, request: Request) -> dict[str, Any]:
    user_id = replay(prior["fingerprint"], prior["resource_id"], request).id
    if request.at - prior["created_at"] > TOKEN_REISSUE:
        raise ApiError(409, "key_too_old", "This Idempotency-Key is older than 10 minutes; its token was shown then.")
    await connection.execute(REVOKE_HASHES, user_id, request.at)
    return dict(await connection.fetchrow("SELECT * FROM users WHERE id = $1", user_id))
