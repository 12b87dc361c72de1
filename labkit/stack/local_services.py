"""What a service of the Compose file is without Docker: a server or a process, with folders and files of its own."""

import os
from pathlib import Path

from labkit.stack import environments, launch, ports
from labkit.stack.compose_file import ComposeFile, Service
from labkit.stack.servers import SERVERS, Process, Server, Setting
from labkit.stack.supervision import Program


class LocalServices:
    """The services of one stack; whatever they read and write is below `home`."""

    def __init__(self, file: ComposeFile, home: Path, settings: dict[str, str], offset: int) -> None:
        self.file = file
        self.home = home.resolve()
        self._settings = settings | ports.variables(file.ports, offset)

    @property
    def scratch(self) -> Path:
        """Where processes keep what only they need; what a killed one has left there goes when the stack is stopped."""
        return self.home / "scratch"

    def service(self, name: str, overrides: dict[str, str]) -> Service:
        """The description of a service, its variables filled in."""
        return self.file.service(name, self._settings | overrides)

    def server(self, service: Service) -> Server:
        """The native server that stands in for a service's image."""
        options = service.embedded
        setting = Setting(
            folder=self.home / "servers" / service.name,
            ports={use: int(port) for use, port in options["ports"].items()},
            environment=service.environment,
            options=options,
            compose_folder=self.file.path.parent,
        )
        return SERVERS[options["server"]](setting)

    def ports(self, name: str) -> list[int]:
        """The ports on which a service listens."""
        names = self.file.ports_by_service(embedded=True)[name]
        return [int(self._settings[f"{port}_PORT"]) for port in names]

    def process(self, service: Service) -> Process:
        """The process that runs the command of a service of our own."""
        basic = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment = basic | {"PYTHONUNBUFFERED": "1", "TMPDIR": str(self.scratch)} | self.environment(service)
        folder = self.home / "work"
        for one in (folder, self.scratch):
            one.mkdir(parents=True, exist_ok=True)
        return Process(in_environment(service.command, service), environment, folder)

    def environment(self, service: Service) -> dict[str, str]:
        """What the Compose file tells a service, with folders of this machine in the place of mounts."""
        folders = {target: self._folder(source) for target, source in service.folders.items()}
        return {name: on_this_machine(value, folders) for name, value in service.environment.items()}

    def _folder(self, source: str) -> str:
        if source.startswith((".", "/")):
            return str((self.file.path.parent / source).resolve())
        folder = self.home / "volumes" / source
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def programs(self) -> list[Program]:
        """All that a supervisor can look after: not what ends by itself, nor what exists only with Docker."""
        programs = []
        for name in self.file.names:
            service = self.service(name, {})
            if service.kind == "native":
                server = SERVERS[service.embedded["server"]]
                programs.append(Program(name, server.stop_signal, server.stop_seconds))
            elif service.kind == "own" and not service.one_shot:
                programs.append(Program(name))
        return programs

    def write(self, name: str, process: Process) -> bool:
        """Write down how a service is started; whether that is other than before."""
        file = self.process_file(name)
        before = file.read_bytes() if file.exists() else b""
        launch.write(file, process.argv, process.environment, process.folder, process.user)
        return file.read_bytes() != before

    def process_file(self, name: str) -> Path:
        """How a service is started, as `launch` reads it."""
        return self.home / "processes" / f"{name}.json"

    def log(self, name: str) -> Path:
        """What a service writes."""
        return self.home / "logs" / f"{name}.log"

    def last_lines(self, name: str, lines: int) -> str:
        """The end of a service's log; empty when there is none yet."""
        log = self.log(name)
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def result(self, name: str) -> Path:
        """The exit status of a one-shot that ran."""
        return self.home / "processes" / f"{name}.status"


def on_this_machine(value: str, folders: dict[str, str]) -> str:
    """A path that is a mount, or below one, as a path of this machine; anything else as it is."""
    for target, folder in folders.items():
        if value == target or value.startswith(f"{target}/"):
            return folder + value.removeprefix(target)
    return value


def in_environment(command: list[str], service: Service) -> list[str]:
    """A command of a service, with the program of its environment in place of the image's."""
    return [environments.program(service.python, command[0]), *command[1:]]
