"""Tokens for programs and moderators.

`python -m gourmetgram.api.tokens --scope import|moderator [--name NAME]` prints a new one; `--revoke ID` ends one, and
with it every session that began with it.
"""

import argparse
import os
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
from psycopg2.extensions import cursor as Cursor

from gourmetgram.api.auth import new_token, token_hash

STORE = "INSERT INTO api_tokens (token_hash, scope, name, created_at) VALUES (%s, %s, %s, %s)"
REVOKE = "UPDATE api_tokens SET revoked_at = %s WHERE id = %s AND user_id IS NULL AND revoked_at IS NULL RETURNING id"
LONGEST_NAME = 64


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise argparse.ArgumentTypeError(f"expected up to {LONGEST_NAME} printable characters")
    return text.strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="token", description="Print a new token, or end one.")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--scope", choices=["import", "moderator"], help="print a new token with this right")
    task.add_argument("--revoke", type=int, metavar="ID", help="end this token; the queue shows the id of a moderator")
    parser.add_argument("--name", type=_name, default="", help="whose token it is, as others will read it")
    return parser.parse_args()


def _issue(cursor: Cursor, scope: str, name: str) -> str:
    token = new_token()
    cursor.execute(STORE, (token_hash(token), scope, name, datetime.now(UTC)))
    return token


def _revoke(cursor: Cursor, token_id: int) -> str:
    cursor.execute(REVOKE, (datetime.now(UTC), token_id))
    if cursor.fetchone() is None:
        raise SystemExit(f"There is no token {token_id} of a program or a moderator that is still valid.")
    return f"token {token_id} is revoked"


def main() -> None:
    """Do it in the database named by DATABASE_URL. Only the hash of a token is stored: it is shown this once."""
    asked = _arguments()
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection, connection, connection.cursor() as cursor:
        done = _revoke(cursor, asked.revoke) if asked.revoke else _issue(cursor, asked.scope, asked.name)
    print(done)


if __name__ == "__main__":
    main()
