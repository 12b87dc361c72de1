"""The embedded place: the services of the Compose file as ordinary processes, without Docker and without root."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from labkit.stack import launch, ports
from labkit.stack.compose_file import ComposeFile, Service
from labkit.stack.errors import StackError
from labkit.stack.place import Ready, ServiceState
from labkit.stack.servers import SERVERS, Process, Server, Setting
from labkit.stack.supervision import STOPPED_STATES, Program, Supervisor

READY_SECONDS = 90
CRASHING_SECONDS = 8
"""A service that still ends right after its start by then will not get better."""

ONE_SHOT_SECONDS = 600
TAIL = 15

SUPERVISED = {"RUNNING": "running", "STARTING": "starting", "BACKOFF": "failed", "FATAL": "failed", "EXITED": "failed"}


class Embedded:
    """Processes below one supervisor; data and logs are below `home`."""

    name = "embedded"

    def __init__(self, file: ComposeFile, home: Path, root: Path, settings: dict[str, str], offset: int) -> None:
        self._file = file
        self._home = home.resolve()
        self._settings = settings | ports.variables(file.ports, offset)
        self._supervisor = Supervisor(self._home, root)

    # ---- what a person asks for

    def up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        """Start services after what they need; independent ones start side by side."""
        with self._alone():
            return self._up(services, overrides)

    def _up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        wanted = services or tuple(name for name in self._file.names if not self._service(name, overrides).profiles)
        ordered = self._file.with_needs(wanted)
        owner = os.environ.get("LAB_OWNER_PID")
        self._supervisor.start(self._programs(), int(owner) if owner else None)
        started: dict[str, Future[Ready]] = {}
        with ThreadPoolExecutor(len(ordered)) as pool:
            for name in ordered:
                service = self._service(name, overrides)
                needs = [started[need] for need in service.needs]
                started[name] = pool.submit(self._bring_up, service, needs)
        for future in sorted(started.values(), key=_is_secondary):
            future.result()
        return [future.result() for future in started.values()]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until nobody else starts services of this stack, such as a notebook and a terminal at once."""
        self._home.mkdir(parents=True, exist_ok=True)
        with (self._home / "starting.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

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

    def destroy(self) -> None:
        """Stop everything and delete the data."""
        self.down()
        for name in self._file.names:
            if self._file.kind(name) == "native":
                self._server(self._service(name, {})).remove()
        shutil.rmtree(self._home, ignore_errors=True)

    def states(self) -> list[ServiceState]:
        """Processes that were started, and one-shots that ran."""
        found = []
        for one in self._supervisor.states():
            if one["statename"] != "STOPPED":
                since = datetime.fromtimestamp(one["start"]).strftime("since %H:%M:%S") if one["start"] else ""
                state = SUPERVISED.get(one["statename"], one["statename"].lower())
                if state == "starting" and launch.was_ready(self._process_file(one["name"]), one["pid"]):
                    state = "running"
                found.append(ServiceState(one["name"], state, since if state == "running" else one["spawnerr"]))
        for name in self._file.names:
            result = self._result(name)
            if result.exists() and self._supervisor.is_running():
                code = result.read_text()
                found.append(ServiceState(name, "done" if code == "0" else "failed", f"exit status {code}"))
        order = {name: index for index, name in enumerate(self._file.names)}
        return sorted(found, key=lambda one: order.get(one.name, len(order)))  # one may have left the file since

    def logs(self, service: str, lines: int) -> str:
        """The last lines of a service's log."""
        self._file.kind(service)
        log = self._log(service)
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def kill(self, service: str, signal_name: str) -> None:
        """Send a signal to the whole process group of a service."""
        pid = self._supervisor.state(service)["pid"]
        if not pid:
            raise StackError(f"The service {service} does not run.", service)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.Signals[f"SIG{signal_name}"])

    def run(self, service: str, arguments: tuple[str, ...], overrides: dict[str, str]) -> str:
        """Run a one-shot service to its end."""
        one = self._service(service, overrides)
        return self._run_to_end(replace(one, command=[*one.command, *arguments]))

    # ---- starting

    def _bring_up(self, service: Service, needs: list[Future[Ready]]) -> Ready:
        for need in needs:
            if need.exception():
                raise StackError(f"{service.name} was not started, because something it needs failed.", None)
        began = time.monotonic()
        if service.kind == "compose-only":
            return Ready(service.name, 0, service.reason)
        if service.kind == "native":
            self._start_native(service)
        elif service.one_shot:
            self._run_to_end(service)
        else:
            self._supervisor.end(*service.replaces)  # as late as possible: what its successor needs is up by now
            self._start_own(service)
        return Ready(service.name, time.monotonic() - began)

    def _start_native(self, service: Service) -> None:
        server = self._server(service)
        if self._supervisor.state(service.name)["statename"] in STOPPED_STATES:
            self._require_free(service.name, server.setting.ports.values())
            server.prepare()
            self._write(service.name, server.process())
            self._supervisor.begin(service.name)
        self._wait(service.name, server.is_ready)
        server.finish()

    def _start_own(self, service: Service) -> None:
        process = self._process(service)
        file = self._process_file(service.name)
        before = file.read_bytes() if file.exists() else b""
        self._write(service.name, process)
        if file.read_bytes() != before:  # other settings than it runs with: start it anew, as Compose would
            self._supervisor.end(service.name)
        self._supervisor.begin(service.name)
        probe = _python(service.health) if service.health else None

        def is_ready() -> bool:
            if probe is None:
                return bool(self._supervisor.state(service.name)["statename"] == "RUNNING")
            done = subprocess.run(probe, env=process.environment, cwd=self._home, capture_output=True, check=False)
            return done.returncode == 0

        self._wait(service.name, is_ready)

    def _run_to_end(self, service: Service) -> str:
        process = self._process(service)
        self._log(service.name).parent.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                process.argv, env=process.environment, cwd=process.folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=ONE_SHOT_SECONDS, check=False,
            )  # fmt: skip
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            output, code = f"{(late.stdout or b'').decode()}\ndid not end within {ONE_SHOT_SECONDS} s", 124
        with self._log(service.name).open("a") as log:
            log.write(output)
        self._result(service.name).parent.mkdir(parents=True, exist_ok=True)
        self._result(service.name).write_text(str(code))
        if code:
            raise self._failure(service.name, f"ended with status {code}, expected 0")
        return output

    def _wait(self, name: str, is_ready: Callable[[], bool]) -> None:
        began = time.monotonic()
        while time.monotonic() < began + READY_SECONDS:
            with contextlib.suppress(Exception):  # not ready yet, whatever the client of that server raises
                if is_ready():
                    launch.note_ready(self._process_file(name), self._supervisor.state(name)["pid"])
                    return
            state = self._supervisor.state(name)["statename"]
            if state == "FATAL" or (state == "BACKOFF" and time.monotonic() > began + CRASHING_SECONDS):
                raise self._failure(name, "ends again and again right after its start")
            time.sleep(0.1)
        raise self._failure(name, f"did not get ready within {READY_SECONDS} s")

    def _failure(self, name: str, what: str) -> StackError:
        return StackError(
            f"The service {name} {what}. The last lines of its log:\n\n{self.logs(name, TAIL)}\n\n"
            f"The whole log is {self._log(name)}.",
            name,
        )

    def _require_free(self, name: str, wanted: Iterable[int]) -> None:
        for port in wanted:
            deadline = time.monotonic() + 5  # one that was just stopped may hold its port a little longer
            while not ports.is_free(port):
                if time.monotonic() > deadline:
                    raise StackError(
                        f"The service {name} needs port {port}, and another program uses it (`./lab doctor` says "
                        f"which). Stop it, or set LAB_PORT_OFFSET=100 to move all ports of the lab by 100.",
                        name,
                    )
                time.sleep(0.1)

    # ---- what things are made of

    def _service(self, name: str, overrides: dict[str, str]) -> Service:
        return self._file.service(name, self._settings | overrides)

    def _server(self, service: Service) -> Server:
        options = service.embedded
        setting = Setting(
            folder=self._home / "servers" / service.name,
            ports={use: int(port) for use, port in options["ports"].items()},
            environment=service.environment,
            options=options,
            compose_folder=self._file.path.parent,
        )
        return SERVERS[options["server"]](setting)

    def _process(self, service: Service) -> Process:
        folders = {target: self._folder(source) for target, source in service.folders.items()}
        environment = {name: folders.get(value, value) for name, value in service.environment.items()}
        basic = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        environment = basic | {"PYTHONUNBUFFERED": "1"} | environment
        folder = self._home / "work"
        folder.mkdir(parents=True, exist_ok=True)
        return Process(_python(service.command), environment, folder)

    def _folder(self, source: str) -> str:
        if source.startswith((".", "/")):
            return str((self._file.path.parent / source).resolve())
        folder = self._home / "volumes" / source
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _programs(self) -> list[Program]:
        programs = []
        for name in self._file.names:
            service = self._service(name, {})
            if service.kind == "native":
                server = SERVERS[service.embedded["server"]]
                programs.append(Program(name, server.stop_signal, server.stop_seconds))
            elif service.kind == "own" and not service.one_shot:
                programs.append(Program(name))
        return programs

    def _write(self, name: str, process: Process) -> None:
        launch.write(self._process_file(name), process.argv, process.environment, process.folder, process.user)

    def _process_file(self, name: str) -> Path:
        return self._home / "processes" / f"{name}.json"

    def _log(self, name: str) -> Path:
        return self._home / "logs" / f"{name}.log"

    def _result(self, name: str) -> Path:
        return self._home / "processes" / f"{name}.status"


def _python(command: list[str]) -> list[str]:
    """The command with this environment's Python in place of the image's."""
    return [sys.executable, *command[1:]] if command[0] == "python" else command


def _is_secondary(future: "Future[Ready]") -> bool:
    """False for a failure that names its service, so that it is sorted before those that only follow from it."""
    error = future.exception()
    return not (isinstance(error, StackError) and error.service)
