"""A relay at work on the outbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.stack import Stack
from tests.integration.outbox_relay.outbox_rows import OutboxRows
from tests.integration.outbox_relay.relays import RelayProcess


@pytest.fixture
def relay(bare_stack: Stack, outbox: OutboxRows, tmp_path: Path) -> Iterator[RelayProcess]:
    with RelayProcess(bare_stack, tmp_path / "relay.log") as process:
        yield process
