"""What containers take, looked at again and again while something goes on."""

import json
import re
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from labkit.stack import Stack

UNITS = {"B": 1 / 2**20, "KiB": 1 / 2**10, "MiB": 1.0, "GiB": 2.0**10}


@dataclass
class Usage:
    """One container in one phase: MiB (without what of files is only cached), and percent of one processor."""

    memory: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


class Watcher:
    """Looks at all containers of a stack every few seconds, in the background."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.phases: dict[str, dict[str, Usage]] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Watch while the block runs."""
        found: dict[str, Usage] = defaultdict(Usage)
        self.phases[name] = found
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(found, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, found: dict[str, Usage], over: threading.Event) -> None:
        services = {container[:12]: service for service, container in self._stack.containers().items()}
        while not over.is_set():
            for container, memory, processor in look():
                if container in services:
                    found[services[container]].memory.append(memory)
                    found[services[container]].processor.append(processor)

    def services(self) -> list[str]:
        """All that were seen, in the order of the Compose file."""
        seen = {service for phase in self.phases.values() for service in phase}
        return [name for name in self._stack.file.names if name in seen]


def look() -> Iterator[tuple[str, float, float]]:
    """Id, MiB and percent of a processor of each container; the latter needs an interval, so it takes two seconds."""
    argv = ["docker", "stats", "--no-stream", "--format={{json .}}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        one = json.loads(line)
        yield one["ID"][:12], mebibytes(one["MemUsage"].partition(" /")[0]), float(one["CPUPerc"].rstrip("%"))


def mebibytes(text: str) -> float:
    """`1.5GiB` as 1536.0."""
    found = re.fullmatch(r"([\d.]+)([KMG]?i?B)", text)
    assert found, text
    return float(found[1]) * UNITS[found[2]]
