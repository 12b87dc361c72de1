"""The embedded place: the services of the Compose file as ordinary processes, without Docker and without root."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from labkit.alone import alone
from labkit.paths import PROGRESS
from labkit.stack import environments, launch, taken_ports
from labkit.stack.compose_file import ComposeFile
from labkit.stack.errors import StackError
from labkit.stack.local_services import LocalServices
from labkit.stack.place import Ready, ServiceState
from labkit.stack.servers import kafka
from labkit.stack.starting import Starter
from labkit.stack.supervision import Supervisor

SUPERVISED = {"RUNNING": "running", "STARTING": "starting", "BACKOFF": "failed", "FATAL": "failed", "EXITED": "failed"}


class Embedded:
    """Processes below one supervisor; data and logs are below `home`."""

    name = "embedded"

    def __init__(self, file: ComposeFile, home: Path, root: Path, settings: dict[str, str], offset: int) -> None:
        self._file = file
        self._services = LocalServices(file, home, settings, offset)
        self._home = self._services.home
        self._supervisor = Supervisor(self._home, root)
        self._starter = Starter(self._services, self._supervisor)

    def up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        """Start services after what they need; independent ones start side by side."""
        with alone(self._home / "starting.lock"):  # a notebook and a terminal may ask at once
            return self._up(services, overrides)

    def _up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        wanted = services or tuple(
            name for name in self._file.names if not self._services.service(name, overrides).profiles
        )
        ordered = self._file.with_needs(wanted)
        self._make_environments(ordered)
        owner = os.environ.get("LAB_OWNER_PID")
        self._supervisor.start(self._services.programs(), int(owner) if owner else None)
        idle = set(ordered) - self._supervisor.running()
        taken_ports.require_free({name: self._services.ports(name) for name in ordered if name in idle}, self._home)
        started: dict[str, Future[Ready]] = {}
        with ThreadPoolExecutor(len(ordered)) as pool:
            for name in ordered:
                service = self._services.service(name, overrides)
                needs = [started[need] for need in service.needs]
                started[name] = pool.submit(self._starter.bring_up, service, needs)
        for future in sorted(started.values(), key=_is_secondary):
            future.result()
        return [future.result() for future in started.values()]

    def fetch(self) -> None:
        """Make the environments of the services, and fetch Kafka."""
        self._make_environments(self._file.names)
        kafka.jars()

    def _make_environments(self, services: Iterable[str]) -> None:
        for name in sorted({self._services.service(one, {}).python for one in services} - {""}):
            environments.ensure(name)

    def stop(self, services: tuple[str, ...]) -> None:
        """Stop services."""
        for name in services:
            if self._file.kind(name) != "compose-only":
                self._supervisor.end(name)

    def down(self) -> None:
        """Stop everything, users of a service before the service."""
        if self._supervisor.is_running():
            ordered = self._file.with_needs(tuple(self._file.names))
            for name in reversed(ordered):
                if self._file.kind(name) == "own":
                    self._supervisor.end(name)
            self._supervisor.end(*ordered)
            self._supervisor.shut_down()
        shutil.rmtree(self._services.scratch, ignore_errors=True)

    def destroy(self) -> None:
        """Stop everything and delete the data, but not what a student has passed."""
        self.down()
        for name in self._file.names:
            if self._file.kind(name) == "native":
                self._services.server(self._services.service(name, {})).remove()
        for path in self._home.glob("*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != PROGRESS:
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not empty, or was never there
            self._home.rmdir()

    def states(self) -> list[ServiceState]:
        """Processes that were started, and one-shots that ran."""
        found = [*self._supervised(), *self._ended()]
        return sorted(found, key=lambda one: self._file.position(one.name))

    def _supervised(self) -> Iterator[ServiceState]:
        for one in self._supervisor.states():
            if one["statename"] != "STOPPED":
                since = datetime.fromtimestamp(one["start"]).strftime("since %H:%M:%S") if one["start"] else ""
                state = SUPERVISED.get(one["statename"], one["statename"].lower())
                if state == "starting" and launch.was_ready(self._services.process_file(one["name"]), one["pid"]):
                    state = "running"
                yield ServiceState(one["name"], state, since if state == "running" else one["spawnerr"])

    def _ended(self) -> Iterator[ServiceState]:
        for name in self._file.names:
            result = self._services.result(name)
            if result.exists() and self._supervisor.is_running():
                code = result.read_text()
                yield ServiceState(name, "done" if code == "0" else "failed", f"exit status {code}")

    def logs(self, service: str, lines: int) -> str:
        """The last lines of a service's log."""
        self._file.kind(service)
        return self._services.last_lines(service, lines)

    def kill(self, service: str, signal_name: str) -> None:
        """Send a signal to the whole process group of a service."""
        pid = self._supervisor.state(service)["pid"]
        if not pid:
            raise StackError(f"The service {service} does not run.", service)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.Signals[f"SIG{signal_name}"])

    def environment(self, service: str) -> dict[str, str]:
        """The variables that the service itself is given here."""
        return self._services.environment(self._services.service(service, {}))

    def run(self, service: str, arguments: tuple[str, ...], overrides: dict[str, str], *, alone: bool) -> str:  # noqa: ARG002
        """Run a one-shot service to its end; it is always alone here."""
        self._make_environments([service])
        one = self._services.service(service, overrides)
        return self._starter.run_to_end(replace(one, command=[*one.command, *arguments]))


def _is_secondary(future: "Future[Ready]") -> bool:
    """False for a failure that names its service, so that it is sorted before those that only follow from it."""
    error = future.exception()
    return not (isinstance(error, StackError) and error.service)
