"""`python -m gourmetgram.setup.migrate`: bring the schema up to date, and register the import token.

`… --to REVISION` stops at that revision: an archive of an older lab is restored into the schema that it was made with.
`… --knows REVISION` does nothing, and fails if this lab has no such revision.
"""

import argparse
import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, text

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = int.from_bytes(b"migrate", "big")

REGISTER_TOKEN = text("""
    INSERT INTO api_tokens (token_hash, scope, created_at) VALUES (:token_hash, 'import', :now)
    ON CONFLICT (token_hash) DO NOTHING
""")


def upgrade(connection: Connection, to: str = "head") -> str:
    """Run the missing migrations, one transaction each; return the revision reached."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return known(to)


def known(revision: str) -> str:
    """The full name of a revision.

    Raises:
        SystemExit: this lab does not know it, so a newer one has made it.
    """
    try:
        script = ScriptDirectory.from_config(_config()).get_revision(revision)
    except CommandError as error:
        raise SystemExit(f"{error}. A newer lab has made this schema: update this copy of the lab first.") from error
    return str(script.revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def register_import_token(connection: Connection, token: str) -> None:
    """Let the holder of this token import history. Only its hash is stored."""
    connection.execute(REGISTER_TOKEN, {"token_hash": sha256(token.encode()).digest(), "now": datetime.now(UTC)})
    connection.commit()


def main() -> None:
    """Migrate the database named by DATABASE_URL, which must belong to its owner."""
    parser = argparse.ArgumentParser(prog="migrate", description="Bring the schema up to date.")
    parser.add_argument("--to", default="head", metavar="REVISION", help="the last migration to run; all if not given")
    parser.add_argument("--knows", default="", metavar="REVISION", help="only say whether there is this migration")
    asked = parser.parse_args()
    if asked.knows:
        print(f"revision {known(asked.knows)} is known", flush=True)
        return
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
    with create_engine(url).connect() as connection:
        # Two migrations at once would both create the same tables: the second waits here for the first.
        connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        connection.commit()
        revision = upgrade(connection, known(asked.to))
        if token := os.environ.get("IMPORT_TOKEN"):
            register_import_token(connection, token)
    print(f"the schema is at revision {revision}", flush=True)


if __name__ == "__main__":
    main()
