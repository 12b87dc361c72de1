"""Starts one service of the embedded place after what it needs, and waits until it is ready."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from labkit.stack import launch, one_shot
from labkit.stack.compose_file import Service
from labkit.stack.errors import StackError
from labkit.stack.local_services import LocalServices, in_environment
from labkit.stack.place import Ready
from labkit.stack.supervision import STOPPED_STATES, Supervisor

READY_SECONDS = 90
CRASHING_SECONDS = 8
"""A service that still ends right after its start by then will not get better."""

TAIL = 15


class Starter:
    """Starts services under a supervisor, and one-shots under nobody; may be used by several threads at once."""

    def __init__(self, services: LocalServices, supervisor: Supervisor) -> None:
        self._services = services
        self._supervisor = supervisor

    def bring_up(self, service: Service, needs: Iterable[Future[Ready]]) -> Ready:
        """Start a service when what it needs is ready, and return when it is ready itself.

        Raises:
            StackError: it did not get ready, or what it needs did not; only the first names a service.
        """
        for need in needs:
            if need.exception():
                raise StackError(f"{service.name} was not started, because something it needs failed.", None)
        began = time.monotonic()
        if service.kind == "compose-only":
            return Ready(service.name, 0, service.reason)
        if service.kind == "native":
            self._start_native(service)
        elif service.one_shot:
            self.run_to_end(service)
        else:
            self._supervisor.end(*service.replaces)  # as late as possible: what its successor needs is up by now
            self._start_own(service)
        return Ready(service.name, time.monotonic() - began)

    def _start_native(self, service: Service) -> None:
        server = self._services.server(service)
        if self._supervisor.state(service.name)["statename"] in STOPPED_STATES:
            server.prepare()
            self._services.write(service.name, server.process())
            self._supervisor.begin(service.name)
        self._wait(service.name, server.is_ready)
        server.finish()

    def _start_own(self, service: Service) -> None:
        process = self._services.process(service)
        if self._services.write(service.name, process):  # else than it runs with: start it anew, as Compose would
            self._supervisor.end(service.name)
        self._supervisor.begin(service.name)
        probe = in_environment(service.health, service) if service.health else None

        def is_ready() -> bool:
            if probe is None:
                return bool(self._supervisor.state(service.name)["statename"] == "RUNNING")
            done = subprocess.run(
                probe, env=process.environment, cwd=self._services.home, capture_output=True, check=False
            )
            return done.returncode == 0

        self._wait(service.name, is_ready)

    def run_to_end(self, service: Service) -> str:
        """Run a one-shot, and return what it wrote.

        Raises:
            StackError: it failed.
        """
        output, code = one_shot.run_to_end(self._services.process(service), self._services.log(service.name))
        self._services.result(service.name).parent.mkdir(parents=True, exist_ok=True)
        self._services.result(service.name).write_text(str(code))
        if code:
            raise self._failure(service.name, f"ended with status {code}, expected 0")
        return output

    def _wait(self, name: str, is_ready: Callable[[], bool]) -> None:
        began = time.monotonic()
        while time.monotonic() < began + READY_SECONDS:
            with contextlib.suppress(Exception):  # not ready yet, whatever the client of that server raises
                if is_ready():
                    launch.note_ready(self._services.process_file(name), self._supervisor.state(name)["pid"])
                    return
            state = self._supervisor.state(name)["statename"]
            if state == "FATAL" or (state == "BACKOFF" and time.monotonic() > began + CRASHING_SECONDS):
                raise self._failure(name, "ends again and again right after its start")
            time.sleep(0.1)
        raise self._failure(name, f"did not get ready within {READY_SECONDS} s")

    def _failure(self, name: str, what: str) -> StackError:
        return StackError(
            f"The service {name} {what}. The last lines of its log:\n\n{self._services.last_lines(name, TAIL)}\n\n"
            f"The whole log is {self._services.log(name)}.",
            name,
        )
