"""The Compose places: the same services as containers, through the `docker compose` that a person would type."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from labkit.paths import ROOT, SECRETS
from labkit.stack import shared_folders
from labkit.stack.compose_file import ComposeFile, Service
from labkit.stack.errors import StackError
from labkit.stack.place import Ready, ServiceState
from labkit.stack.ports import variables as addresses

TAIL = 15
CLEAR_LINE = "\x1b[2K"
"""What Compose writes before logs, even when it is asked for no colours."""

TAKEN = re.compile(r"port is already allocated|address already in use")
PORT_TAKEN = (
    "Another program uses its port (`./lab doctor --place compose` says which), or this lab without Docker. Stop it "
    "(`./lab down --place embedded`), or set LAB_PORT_OFFSET=100 to move all ports of the lab by 100."
)
INSTALL = "Install it as https://docs.docker.com/engine/install says, with the Compose plugin."
STATES = {"running": "running", "created": "starting", "restarting": "failed", "paused": "stopped"}


def command(file: ComposeFile, *arguments: str, services: tuple[str, ...] = ()) -> list[str]:
    """The `docker compose` command that a person would type in the lab's folder."""
    profiles = sorted({one for name in services for one in file.service(name, _Anything()).profiles})
    path = file.path.relative_to(ROOT) if file.path.is_relative_to(ROOT) else file.path
    options = ["--file", str(path), "--env-file", str(SECRETS.relative_to(ROOT))]
    for profile in profiles:
        options += ["--profile", profile]
    return ["docker", "compose", *options, *arguments, *services]


class _Anything(dict[str, str]):
    """Variables for a reading of the Compose file in which values do not matter."""

    def get(self, key: str, _default: object = None) -> str:
        """Some value."""
        return f"any-{key}"


def environment(
    shell: Mapping[str, str], settings: Mapping[str, str], ports: Mapping[str, int], offset: int
) -> dict[str, str]:
    """What Compose is told: ours over the settings of docker/.env, and these over the shell.

    Compose itself lets the shell win, so that a forgotten `export POSTGRES_PASSWORD=…` would quietly be another one.
    """
    ours = {f"{port}_PORT": str(number + offset) for port, number in ports.items()}
    for_processes = {f"{port}_{what}" for port in ports for what in ("ADDRESS", "LISTEN")}
    kept = {name: value for name, value in shell.items() if name not in for_processes}
    return {**kept, **settings, **ours, "COMPOSE_ANSI": "never", "COMPOSE_PROGRESS": "plain"}


class DockerCompose:
    """Containers of one project. A stack of another home or offset is another project, with data of its own."""

    def __init__(
        self,
        name: str,
        file: ComposeFile,
        home: Path,
        root: Path,
        settings: Mapping[str, str],
        offset: int,
        *,
        is_default: bool,
    ) -> None:
        self.name = name
        self._file = file
        self._root = root
        project = sha256(f"{home.resolve()} {offset}".encode()).hexdigest()[:8]
        own = {} if is_default else {"COMPOSE_PROJECT_NAME": f"gourmetgram-{project}"}
        self._environment = environment(os.environ, settings, file.ports, offset) | own
        self._addresses = addresses(file.ports, offset)

    def up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        """Start services and what they need. One-shots are waited for until they have ended well."""
        began = time.monotonic()
        self._build(services)
        wanted = services or tuple(name for name in self._file.names if not self._service(name).profiles)
        for name in self._file.with_needs(wanted):
            shared_folders.prepare(self._file.service(name, self._environment), self._file.path.parent)
        self._make_room(wanted, overrides)
        lasting = tuple(name for name in wanted if not self._service(name).one_shot)
        if lasting:
            self._call(command(self._file, "up", "--detach", "--wait", services=lasting), overrides)
        for name in services:  # of those that nobody named, the needed ones have run
            if name not in lasting:
                ended = ("up", "--no-log-prefix", "--exit-code-from", name)
                self._call(command(self._file, *ended, services=(name,)), overrides, service=name)
        return [Ready(name, time.monotonic() - began) for name in wanted]

    def fetch(self) -> None:
        """Pull the images of others, and build ours. Compose does not pull what is here already."""
        everything = [*command(self._file), "--profile", "*"]
        self._call([*everything, "pull", "--ignore-buildable", "--policy", "missing", "--quiet"])
        self._build(tuple(self._file.names))

    def _make_room(self, wanted: tuple[str, ...], overrides: dict[str, str]) -> None:
        """Stop what is to be replaced, as late as possible: what its successor needs is up by then."""
        running = {one.name for one in self.states() if one.state == "running"}
        for name in wanted:
            replaced = tuple(other for other in self._service(name).replaces if other in running)
            if replaced:
                needs = tuple(need for need in self._service(name).needs if not self._service(need).one_shot)
                if needs:
                    self._call(command(self._file, "up", "--detach", "--wait", services=needs), overrides)
                self._call(command(self._file, "stop", services=replaced))

    def _service(self, name: str) -> Service:
        return self._file.service(name, _Anything())

    def _build(self, services: tuple[str, ...]) -> None:
        """Bring our own images up to date. Services share them, so each image is built once, for one of its users."""
        users = {self._file.image(name): name for name in self._file.with_needs(services or tuple(self._file.names))}
        ours = tuple(name for name in users.values() if self._file.is_built(name))
        if ours:
            self._call(command(self._file, "build", "--quiet", services=ours))

    def stop(self, services: tuple[str, ...]) -> None:
        """Stop services; Compose itself would take none for all."""
        if services:
            self._call(command(self._file, "stop", services=services))

    def down(self) -> None:
        """Remove the containers; volumes stay."""
        self._call([*command(self._file), "--profile", "*", "down", "--remove-orphans"])

    def destroy(self) -> None:
        """Remove containers and volumes."""
        self._call([*command(self._file), "--profile", "*", "down", "--remove-orphans", "--volumes"])

    def states(self) -> list[ServiceState]:
        """The project's containers."""
        found = [ServiceState(one["Service"], self._state(one), one["Status"]) for one in self._containers()]
        return sorted(found, key=lambda one: self._file.position(one.name))

    def containers(self) -> dict[str, str]:
        """The id of each service's container."""
        return {one["Service"]: one["ID"] for one in self._containers()}

    def _containers(self) -> list[dict[str, Any]]:
        argv = [*command(self._file), "--profile", "*", "ps", "--all", "--format", "json"]
        listed = self._run(argv, {})
        if listed.returncode:
            raise StackError(f"`{shlex.join(argv)}` failed:\n{listed.stderr.rstrip()}\n\n`./lab doctor` may say why.")
        return [json.loads(line) for line in filter(None, listed.stdout.splitlines())]

    def _state(self, one: dict[str, Any]) -> str:
        if one["State"] in STATES:
            return "failed" if one.get("Health") == "unhealthy" else STATES[one["State"]]
        is_known = one["Service"] in self._file.names  # else an older or newer copy of the lab has started it
        if is_known and self._service(one["Service"]).one_shot:
            return "failed" if one["ExitCode"] else "done"
        return "stopped"  # had it ended by itself, it would have been restarted

    def logs(self, service: str, lines: int) -> str:
        """The last lines of a service's log."""
        self._file.kind(service)
        arguments = ["logs", "--no-color", "--no-log-prefix", f"--tail={lines}"]
        said = self._run(command(self._file, *arguments, services=(service,)), {}).stdout
        return said.replace(CLEAR_LINE, "").rstrip()

    def kill(self, service: str, signal_name: str) -> None:
        """Send a signal to a service's first process."""
        self._call(command(self._file, "kill", f"--signal=SIG{signal_name}", services=(service,)))

    def environment(self, service: str) -> dict[str, str]:
        """The variables of a service, with the ports on this machine; without what lies on a mount of the container."""
        one = self._file.service(service, self._environment | self._addresses)
        return {name: value for name, value in one.environment.items() if not _is_below(value, one.folders)}

    def run(self, service: str, arguments: tuple[str, ...], overrides: dict[str, str], *, alone: bool) -> str:
        """Run a one-shot service to its end; what it needs is started first, unless all of that is there."""
        one = self._file.service(service, {**self._environment, **overrides})
        without = ("--no-deps",) if alone or self._has_its_needs(service) else ()
        argv = command(self._file, "run", "--rm", "--no-TTY", *without, service)
        if self._file.is_built(service):
            self._call(command(self._file, "build", "--quiet", services=(service,)))
        return self._call([*argv, *one.command, *arguments] if arguments else argv, overrides)

    def _has_its_needs(self, service: str) -> bool:
        """Whether all that a service needs is well; else Compose would run every one-shot among it once more."""
        well = {
            one["Service"]
            for one in self._containers()
            if self._state(one) == "done" or (self._state(one) == "running" and one.get("Health") in ("", "healthy"))
        }
        return set(self._file.with_needs((service,))) - {service} <= well

    def _call(self, argv: list[str], overrides: dict[str, str] | None = None, service: str | None = None) -> str:
        done = self._run(argv, overrides or {})
        if done.returncode:
            service = service or self._named(done.stderr) or self._failed()
            more = f"The last lines of its log:\n\n{self.logs(service, TAIL)}" if service else ""
            if TAKEN.search(done.stderr):
                more = PORT_TAKEN
            what = f"The service {service} did not start. " if service else ""
            raise StackError(f"{what}`{shlex.join(argv)}` failed:\n{done.stderr[-1500:].rstrip()}\n\n{more}", service)
        return done.stdout

    def _named(self, said: str) -> str | None:
        """The service whose container the last line, which holds the error, speaks of."""
        line = said.rstrip().rpartition("\n")[2]
        return next((name for name in self._file.names if re.search(rf"-{re.escape(name)}-\d", line)), None)

    def _failed(self) -> str | None:
        return next((one.name for one in self.states() if one.state == "failed"), None)

    def _run(self, argv: list[str], overrides: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                argv,
                cwd=self._root,
                env={**self._environment, **overrides},
                text=True,
                capture_output=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise StackError(f"The place {self.name} needs Docker, and there is no `docker` here. {INSTALL}") from None


def _is_below(value: str, folders: Mapping[str, str]) -> bool:
    return any(value == target or value.startswith(f"{target}/") for target in folders)
