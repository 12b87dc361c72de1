"""A database that was upgraded step by step has the schema of one made at once, and migrating again changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from gourmetgram.setup.migrate import MIGRATIONS, upgrade
from labkit.stack import Stack
from tests.support.database import Rows

SCHEMA = {
    "columns": """SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "rights": """SELECT relname, relacl::text, reloptions::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace""",
    "column rights": """SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute
        WHERE attacl IS NOT NULL""",
}


def schema(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted((tuple(row) for row in connection.execute(text(sql))), key=repr) for name, sql in SCHEMA.items()
    }


def url(stack: Stack, database: str) -> str:
    owner = f"gourmetgram_owner:{stack.setting('OWNER_DB_PASSWORD')}"
    return f"postgresql+psycopg2://{owner}@{stack.address('postgres')}/{database}"


@pytest.fixture
def empty(stack: Stack, rows: Rows) -> Iterator[list[str]]:
    names = ["migrated_at_once", "migrated_by_step"]
    for name in names:
        rows(f"CREATE DATABASE {name} OWNER gourmetgram_owner")
    yield names
    for name in names:
        rows(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    engine = create_engine(address)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def upgrade_by_step(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    for revision in reversed(revisions):
        command.upgrade(config, revision)


def test_fresh_and_upgraded_databases_are_the_same(stack: Stack, empty: list[str]) -> None:
    with connected(url(stack, empty[0])) as fresh, connected(url(stack, empty[1])) as old:
        upgrade(fresh)
        upgrade_by_step(old)
        at_once, by_step = schema(fresh), schema(old)
    assert at_once == by_step
    assert {len(found) > 10 for found in (at_once["columns"], at_once["constraints"], at_once["indexes"])} == {True}
    with connected(url(stack, "gourmetgram")) as running:
        assert schema(running) == at_once


def test_migrating_again_changes_nothing(stack: Stack, rows: Rows) -> None:
    with connected(url(stack, "gourmetgram")) as connection:
        before = schema(connection)
    tokens = rows("SELECT count(*) FROM api_tokens")
    assert "revision" in stack.run("migrate")
    with connected(url(stack, "gourmetgram")) as connection:
        assert schema(connection) == before
    assert rows("SELECT count(*) FROM api_tokens") == tokens
    digest = sha256(stack.setting("IMPORT_TOKEN").encode()).digest()
    assert rows("SELECT scope FROM api_tokens WHERE token_hash = %s", digest) == [("import",)]
