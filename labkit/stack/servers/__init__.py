"""Native servers, by the name that `x-embedded.server` gives them."""

from labkit.stack.servers.base import Process, Server, Setting
from labkit.stack.servers.kafka import Kafka
from labkit.stack.servers.postgres import Postgres
from labkit.stack.servers.seaweedfs import SeaweedFS
from labkit.stack.servers.valkey import Valkey

SERVERS: dict[str, type[Server]] = {"postgres": Postgres, "seaweedfs": SeaweedFS, "kafka": Kafka, "valkey": Valkey}

__all__ = ["SERVERS", "Process", "Server", "Setting"]
