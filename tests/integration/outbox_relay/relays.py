"""A relay as a process of its own, which a test may stop, freeze and kill."""

from pathlib import Path

from labkit.stack import Stack
from tests.support.processes import ServiceProcess, free_port


def relay_url(stack: Stack) -> str:
    """How the relay logs in to PostgreSQL."""
    return f"postgresql://outbox_relay:{stack.setting('RELAY_DB_PASSWORD')}@{stack.address('postgres')}/gourmetgram"


class RelayProcess(ServiceProcess):
    """A relay on the stack's PostgreSQL and broker; killed at the end of `with`."""

    def __init__(self, stack: Stack, log: Path, **changes: str) -> None:
        address = f"127.0.0.1:{free_port()}"
        own = {
            "DATABASE_URL": relay_url(stack),
            "KAFKA_BOOTSTRAP_SERVERS": stack.address("redpanda"),
            "RELAY_LISTEN": address,
        }
        super().__init__("outbox_relay", log, own | changes, address)

    def leads(self) -> bool:
        return self.metric("relay_leader") == 1
