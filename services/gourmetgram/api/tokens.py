"""`python -m gourmetgram.api.tokens --scope import|moderator`: print a new token for a program or a moderator."""

import argparse
import os
from datetime import UTC, datetime

import psycopg2

from gourmetgram.api.auth import new_token, token_hash

STORE = "INSERT INTO api_tokens (token_hash, scope, created_at) VALUES (%s, %s, %s)"


def main() -> None:
    """Store the hash of a new token in the database named by DATABASE_URL, and print the token, this once."""
    parser = argparse.ArgumentParser(prog="token", description=__doc__)
    parser.add_argument("--scope", choices=["import", "moderator"], required=True)
    scope = parser.parse_args().scope
    token = new_token()
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(STORE, (token_hash(token), scope, datetime.now(UTC)))
    connection.close()
    print(token)


if __name__ == "__main__":
    main()
