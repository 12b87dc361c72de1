"""A scorer as a process of its own, which a test may stop, freeze and kill."""

import uuid
from pathlib import Path

from labkit.stack import Stack
from tests.support.processes import ServiceProcess, free_port


def scorer_url(stack: Stack) -> str:
    """How the scorer logs in to PostgreSQL."""
    return f"postgresql://risk_scoring:{stack.setting('SCORER_DB_PASSWORD')}@{stack.address('postgres')}/gourmetgram"


class ScorerProcess(ServiceProcess):
    """A scorer on the stack's PostgreSQL and broker, in a group of its own unless one is named."""

    def __init__(self, stack: Stack, log: Path, **changes: str) -> None:
        address = f"127.0.0.1:{free_port()}"
        own = {
            "DATABASE_URL": scorer_url(stack),
            "KAFKA_BOOTSTRAP_SERVERS": stack.address("redpanda"),
            "SCORER_GROUP": f"test-{uuid.uuid4()}",
            "SCORER_LISTEN": address,
        }
        super().__init__("risk_scoring", log, own | changes, address)
