"""PostgreSQL with the tables, the broker with the topics, and nobody else at work."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from labkit.stack import Stack
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.integration.outbox_relay.relays import RelayProcess


@pytest.fixture(scope="module")
def bare_stack(new_stack: Stack) -> Stack:
    new_stack.up("migrate", "topics-init")
    return new_stack


@pytest.fixture
def outbox(bare_stack: Stack) -> Iterator[OutboxRows]:
    password, address = bare_stack.setting("POSTGRES_PASSWORD"), bare_stack.address("postgres")
    connection = psycopg2.connect(f"postgresql://postgres:{password}@{address}/gourmetgram")
    connection.autocommit = True
    yield OutboxRows(connection)
    connection.close()


@pytest.fixture
def relay(bare_stack: Stack, outbox: OutboxRows, tmp_path: Path) -> Iterator[RelayProcess]:
    with RelayProcess(bare_stack, tmp_path / "relay.log") as process:
        yield process
