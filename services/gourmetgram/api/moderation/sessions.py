"""Who is signed in to the pages: a session begins with a moderator's token, and ends with it at the latest."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import structlog

from gourmetgram.api.auth import token_hash
from gourmetgram.api.database import Database
from gourmetgram.api.errors import ApiError
from gourmetgram.api.moderation.actions import Moderator

SESSION: Final = timedelta(hours=8)
MOST_TRIES: Final = 10
TRIES_COUNT: Final = timedelta(minutes=1)

_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('sign in ' || $1, 0))"
_FORGET_TRIES: Final = "DELETE FROM refused_sign_ins WHERE created_at <= $1"
_TRIES: Final = "SELECT count(*) FROM refused_sign_ins WHERE client = $1 AND created_at > $2"
_REFUSED: Final = "INSERT INTO refused_sign_ins (client, created_at) VALUES ($1, $2)"
_TOKEN: Final = "SELECT id FROM api_tokens WHERE token_hash = $1 AND scope = 'moderator' AND revoked_at IS NULL"  # noqa: S105
_FORGET_OVER: Final = "DELETE FROM moderator_sessions WHERE expires_at <= $1"
_BEGIN: Final = """
INSERT INTO moderator_sessions (session_hash, token_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
"""
_FIND: Final = """
SELECT t.id, t.name FROM moderator_sessions s JOIN api_tokens t ON t.id = s.token_id
WHERE s.session_hash = $1 AND s.expires_at > $2 AND t.revoked_at IS NULL AND t.scope = 'moderator'
"""
_END: Final = "DELETE FROM moderator_sessions WHERE session_hash = $1"

log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A moderator with a session, and the secret that only their browser and this request know."""

    moderator: Moderator
    secret: str

    @property
    def form_token(self) -> str:
        """What each form of this session carries."""
        return form_token(self.secret)


def new_secret() -> str:
    """A value for a cookie that nobody can guess."""
    return secrets.token_urlsafe(32)


def form_token(secret: str) -> str:
    """The value that proves a form was made for the browser with this secret; the secret does not follow from it."""
    return hmac.new(secret.encode(), b"a form of the review queue", sha256).hexdigest()


def is_own_form(secret: str, came: str) -> bool:
    """Whether a form was made for this browser. It takes as long whatever came."""
    return hmac.compare_digest(form_token(secret).encode(), came.encode())


async def sign_in(database: Database, token: str, client: str) -> str | None:
    """Begin a session and return its secret; None when this is no moderator's token.

    Raises:
        ApiError: 429, this client was refused too often.
    """
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        await connection.execute(_ONE_AT_A_TIME, client)
        await connection.execute(_FORGET_TRIES, now - TRIES_COUNT)
        if await connection.fetchval(_TRIES, client, now - TRIES_COUNT) >= MOST_TRIES:
            raise _too_many()
        token_id = await connection.fetchval(_TOKEN, token_hash(token))
        if token_id is None:
            await connection.execute(_REFUSED, client, now)
            log.warning("sign_in_refused", client=client)
            return None
        return await _begin(connection, token_id, now)


def _too_many() -> ApiError:
    wait = int(TRIES_COUNT.total_seconds())
    return ApiError(
        429, "too_many_tries", f"Too many tries were refused. Try again in {wait} s.", {"Retry-After": str(wait)}
    )


async def _begin(connection: Any, token_id: int, now: datetime) -> str:
    secret = new_secret()
    await connection.execute(_FORGET_OVER, now)
    await connection.execute(_BEGIN, token_hash(secret), token_id, now, now + SESSION)
    log.info("signed_in", token_id=token_id)
    return secret


async def signed_in(database: Database, secret: str) -> SignedIn | None:
    """Whose session this is. Asked of the database each time, so that one that was ended is over at once."""
    row = await database.row(_FIND, token_hash(secret), datetime.now(UTC))
    return SignedIn(Moderator.of(row["id"], row["name"]), secret) if row else None


async def sign_out(database: Database, secret: str) -> None:
    """End a session."""
    await database.run(_END, token_hash(secret))
