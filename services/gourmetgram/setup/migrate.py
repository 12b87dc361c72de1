"""`python -m gourmetgram.setup.migrate`: bring the schema up to date, and register the import token."""

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = int.from_bytes(b"migrate", "big")

REGISTER_TOKEN = text("""
    INSERT INTO api_tokens (token_hash, scope, created_at) VALUES (:token_hash, 'import', :now)
    ON CONFLICT (token_hash) DO NOTHING
""")


def upgrade(connection: Connection) -> str:
    """Run the missing migrations, one transaction each; return the revision reached."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return ScriptDirectory.from_config(config).get_current_head() or "none"


def register_import_token(connection: Connection, token: str) -> None:
    """Let the holder of this token import history. Only its hash is stored."""
    connection.execute(REGISTER_TOKEN, {"token_hash": sha256(token.encode()).digest(), "now": datetime.now(UTC)})
    connection.commit()


def main() -> None:
    """Migrate the database named by DATABASE_URL, which must belong to its owner."""
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
    with create_engine(url).connect() as connection:
        # Two migrations at once would both create the same tables: the second waits here for the first.
        connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        connection.commit()
        revision = upgrade(connection)
        if token := os.environ.get("IMPORT_TOKEN"):
            register_import_token(connection, token)
    print(f"the schema is at revision {revision}", flush=True)


if __name__ == "__main__":
    main()
