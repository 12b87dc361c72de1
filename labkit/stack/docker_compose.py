"""The Compose places: the same services as containers, through the `docker compose` that a person would type."""

import json
import os
import shlex
import subprocess
import time
from hashlib import sha256
from pathlib import Path

from labkit.paths import ROOT, SECRETS
from labkit.stack.compose_file import ComposeFile
from labkit.stack.errors import StackError
from labkit.stack.place import Ready, ServiceState

TAIL = 15
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


class DockerCompose:
    """Containers of one project. A stack of another home or offset is another project, with data of its own."""

    def __init__(self, file: ComposeFile, home: Path, root: Path, offset: int, *, is_default: bool) -> None:
        self.name = os.environ.get("LAB_PLACE", "compose")
        self._file = file
        self._root = root
        name = sha256(f"{home.resolve()} {offset}".encode()).hexdigest()[:8]
        shifted = {f"{port}_PORT": str(number + offset) for port, number in file.ports.items()}
        project = {} if is_default else {"COMPOSE_PROJECT_NAME": f"gourmetgram-{name}"}
        self._environment = {**os.environ, **shifted, **project, "COMPOSE_ANSI": "never", "COMPOSE_PROGRESS": "plain"}

    def up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        """Start services and what they need. One-shots are waited for until they have ended well."""
        began = time.monotonic()
        self._build(services)
        for name in services:
            if replaced := self._file.service(name, _Anything()).replaces:
                self._call(command(self._file, "stop", services=tuple(replaced)))
        lasting = tuple(name for name in services if not self._file.service(name, _Anything()).one_shot)
        if lasting or not services:
            self._call(command(self._file, "up", "--detach", "--wait", services=lasting), overrides)
        for name in services:
            if name not in lasting:
                ended = ("up", "--no-log-prefix", "--exit-code-from", name)
                self._call(command(self._file, *ended, services=(name,)), overrides, service=name)
        return [Ready(name, time.monotonic() - began) for name in services]

    def _build(self, services: tuple[str, ...]) -> None:
        """Bring our own images up to date. Services share them, so each image is built once, for one of its users."""
        users = {self._file.image(name): name for name in self._file.with_needs(services or tuple(self._file.names))}
        ours = tuple(name for name in users.values() if self._file.is_built(name))
        if ours:
            self._call(command(self._file, "build", "--quiet", services=ours))

    def stop(self, services: tuple[str, ...]) -> None:
        """Stop services."""
        self._call(command(self._file, "stop", services=services))

    def down(self) -> None:
        """Remove the containers; volumes stay."""
        self._call([*command(self._file), "--profile", "*", "down", "--remove-orphans"])

    def destroy(self) -> None:
        """Remove containers and volumes."""
        self._call([*command(self._file), "--profile", "*", "down", "--remove-orphans", "--volumes"])

    def states(self) -> list[ServiceState]:
        """The project's containers."""
        listed = self._run([*command(self._file), "--profile", "*", "ps", "--all", "--format", "json"], {})
        found = []
        for line in filter(None, listed.stdout.splitlines()):
            one = json.loads(line)
            state = STATES.get(one["State"], "done" if one["ExitCode"] == 0 else "failed")
            if state == "running" and one.get("Health") == "unhealthy":
                state = "failed"
            found.append(ServiceState(one["Service"], state, one["Status"]))
        return sorted(found, key=lambda one: self._file.names.index(one.name))

    def logs(self, service: str, lines: int) -> str:
        """The last lines of a service's log."""
        self._file.kind(service)
        arguments = ["logs", "--no-color", "--no-log-prefix", f"--tail={lines}"]
        return self._run(command(self._file, *arguments, services=(service,)), {}).stdout.rstrip()

    def kill(self, service: str, signal_name: str) -> None:
        """Send a signal to a service's first process."""
        self._call(command(self._file, "kill", f"--signal=SIG{signal_name}", services=(service,)))

    def run(self, service: str, arguments: tuple[str, ...], overrides: dict[str, str]) -> str:
        """Run a one-shot service to its end."""
        one = self._file.service(service, {**self._environment, **overrides, **_Anything()})
        argv = command(self._file, "run", "--rm", "--no-TTY", service)
        return self._call([*argv, *one.command, *arguments] if arguments else argv, overrides)

    def _call(self, argv: list[str], overrides: dict[str, str] | None = None, service: str | None = None) -> str:
        done = self._run(argv, overrides or {})
        if done.returncode:
            service = service or next((one.name for one in self.states() if one.state == "failed"), None)
            logs = f"\n\nThe last lines of the log of {service}:\n\n{self.logs(service, TAIL)}" if service else ""
            raise StackError(f"`{shlex.join(argv)}` failed:\n{done.stderr[-1500:]}{logs}", service)
        return done.stdout

    def _run(self, argv: list[str], overrides: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            argv,
            cwd=self._root,
            env={**self._environment, **overrides},
            text=True,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
