"""What the services take in containers, with all browsers of data open, beside what each may take. Needs Docker."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from labkit.commands.bench import Figure
from labkit.stack import Stack
from tests.bench.container_usage import Usage, Watcher, mebibytes
from tests.compose.engine import docker, is_placeholder
from tests.integration.airflow.airflow_api import AirflowApi

PACKAGES = ()
DEFAULT_SECONDS = 90
BURST_SECONDS = 45
IMAGES = ("gourmetgram-services", "gourmetgram-airflow", "gourmetgram-training", "gourmetgram-proxy")


def measure(home: Path) -> Iterator[Figure]:
    """About 6 minutes, and what the images take to build."""
    stack = Stack.free(home / "stack", place="compose")
    services: dict[str, Any] = yaml.safe_load(stack.file.path.read_text())["services"]
    lasting = {name: one for name, one in services.items() if one["restart"] != "no" and not one.get("profiles")}
    limits = {name: mebibytes(f"{one['mem_limit'].upper()}iB") for name, one in lasting.items()}
    try:
        began = time.monotonic()
        stack.up(*(name for name in lasting if not (name == "nimtable-web" and is_placeholder(stack, name))))
        yield Figure("everything is up", time.monotonic() - began, "s", note="images built, if they were not there")
        watcher = Watcher(stack)
        _use(stack, watcher)
        yield from (_memory(name, limits[name], watcher) for name in watcher.services() if name in limits)
        yield Figure("all limits together", sum(limits.values()), "MiB", 8 * 1024, "at most")
        yield from _together(watcher)
    finally:
        stack.destroy()
    for image in IMAGES:
        size = float(docker("image", "inspect", image, "--format={{.Size}}")) / 1e6
        yield Figure(f"image {image}", size, "MB", note="with its base image")


def _use(stack: Stack, watcher: Watcher) -> None:
    """Default traffic; a burst in twenty times as much; a week of history, landed and made into training data."""
    with watcher.phase("default"):
        time.sleep(DEFAULT_SECONDS)
    stack.up("data_generator", GENERATOR_ARRIVAL_RATE=60_000)
    with watcher.phase("burst"):
        stack.run("data_generator", GENERATOR_MODE="simulate_viral")
        time.sleep(BURST_SECONDS)
    with watcher.phase("history"), closing(AirflowApi(stack)) as airflow:
        stack.run("data_generator", GENERATOR_MODE="history")
        for dag in ("redpanda_event_aggregation", "moderation_training"):
            airflow.run(dag)


def _memory(service: str, limit: float, watcher: Watcher) -> Figure:
    """The most that it took in any phase; phases one by one in the note."""
    seen = {phase: found[service] for phase, found in watcher.phases.items() if service in found}
    most = max(max(usage.memory) for usage in seen.values())
    return Figure(service, most, "MiB", limit, "at most", note="; ".join(_told(*one) for one in seen.items()))


def _told(phase: str, usage: Usage) -> str:
    processor = sum(usage.processor) / len(usage.processor)
    return f"{phase} {max(usage.memory):.0f} MiB, {processor:.0f} %"


def _together(watcher: Watcher) -> Iterator[Figure]:
    """What all take at once, by phase: the sum of what each took at most."""
    for phase, found in watcher.phases.items():
        memory = sum(max(usage.memory) for usage in found.values())
        processor = sum(sum(usage.processor) / len(usage.processor) for usage in found.values())
        yield Figure(f"all services, {phase}", memory, "MiB", note=f"{processor:.0f} % of one processor")
