"""One stack: the services of the Compose file in one place, with data of their own."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from labkit.paths import BUILD, PROGRESS, ROOT, compose_file, default_home
from labkit.revision import code_revision
from labkit.stack import docker_compose, machine, ports, secrets
from labkit.stack.compose_file import ComposeFile, Kept
from labkit.stack.docker_compose import DockerCompose
from labkit.stack.errors import StackError
from labkit.stack.inside import Inside
from labkit.stack.place import Place, Ready, ServiceState
from labkit.stack.variables import Variables

PLACES = (*machine.PLACES, "inside")
"""The last one is a container of one of the others, and for who runs in there to know."""


class Stack:
    """Services, started and stopped.

    Args:
        home: folder of its data and logs; LAB_HOME or build/lab when not given.
        place: `embedded`, `compose` or `chameleon`; what this machine is (`./lab place`) when not given.
        port_offset: how far its ports are from the usual ones; LAB_PORT_OFFSET or 0 when not given.
    """

    def __init__(self, home: Path | None = None, place: str | None = None, port_offset: int | None = None) -> None:
        self.home = home or default_home()
        self.place = place or machine.place()
        self.port_offset = _offset_wanted() if port_offset is None else port_offset
        if self.place not in PLACES:
            raise StackError(f"There is no place {self.place}. There are: {', '.join(PLACES[:-1])}.")
        self.file = ComposeFile(compose_file())
        self._place = self._opened()

    @property
    def progress_file(self) -> Path:
        """Which stages and exercises the student has passed."""
        return self.home / PROGRESS

    def _opened(self) -> Place:
        if self.place == "inside":  # no secrets of this machine: the container has been told what it may know
            return Inside(self.file, self.home, os.environ)
        settings = secrets.ensure() | {"CODE_REVISION": code_revision()}
        if self.place == "embedded":
            from labkit.stack.embedded import Embedded  # its servers are packages that a container does not have

            return Embedded(self.file, self.home, ROOT, os.environ | settings, self.port_offset)
        is_default = self.home == BUILD / "lab" and self.port_offset == 0
        return DockerCompose(self.place, self.file, self.home, ROOT, settings, self.port_offset, is_default=is_default)

    @classmethod
    def free(cls, home: Path, place: str = "embedded") -> Self:
        """A stack beside any other: its data in this folder, its ports where nobody listens."""
        return cls(home, place, ports.free_offset(ComposeFile(compose_file()).ports.values()))

    def up(self, *services: str, **environment: object) -> list[Ready]:
        """Start services (all without a profile when none are named) and what they need, and wait until all are ready.

        Keywords replace variables of the Compose file, such as `GENERATOR_MODE="simulate_viral"`.

        Raises:
            StackError: a service did not get ready; it names it, and holds the last lines of its log.
        """
        return self._place.up(services, {name: str(value) for name, value in environment.items()})

    def stop(self, *services: str) -> None:
        """Stop services; their data stays."""
        self._place.stop(services)

    def down(self) -> None:
        """Stop everything; the data stays."""
        self._place.down()

    def destroy(self) -> None:
        """Stop everything, and delete the data, but not what a student has passed; its ports are anybody's then."""
        self._place.destroy()
        ports.release(self.port_offset)

    def ps(self) -> Sequence[ServiceState]:
        """The services that were started."""
        return self._place.states()

    def containers(self) -> dict[str, str]:
        """The id of each service's container; only a Compose place has any."""
        return self._place.containers() if isinstance(self._place, DockerCompose) else {}

    def logs(self, service: str, lines: int = 20) -> str:
        """The last lines that a service wrote."""
        return self._place.logs(service, lines)

    def kill(self, service: str, signal_name: str = "KILL") -> None:
        """Send a signal to a service, as a crash would; it is restarted as its policy says."""
        self._place.kill(service, signal_name)

    def run(self, service: str, *arguments: str, **environment: object) -> str:
        """Run a one-shot service, and return what it printed."""
        overrides = {name: str(value) for name, value in environment.items()}
        return self._place.run(service, arguments, overrides, alone=False)

    def run_alone(self, service: str, *arguments: str) -> str:
        """The same, without what the service needs: nothing is started for it."""
        return self._place.run(service, arguments, {}, alone=True)

    def environment(self, service: str) -> Variables:
        """What a service of our own reads from its environment, as a process of this machine would need it.

        Addresses are those of this machine, and so are folders; what only a container can reach is left out.
        """
        return Variables(self._place.environment(service))

    def login(self, service: str) -> dict[str, str]:
        """Who may see the pages of a service."""
        return self.file.login(service, os.environ if self.place == "inside" else secrets.read())

    def kept(self) -> dict[str, Kept]:
        """What a student takes along from object storage."""
        return self.file.kept(secrets.read())

    def exchange(self) -> Kept:
        """Where an archive of the whole state lies in object storage on its way out or in."""
        return self.file.exchange(secrets.read())

    def fetch(self) -> None:
        """Fetch and make ahead whatever `up` would need of packages or images."""
        self._place.fetch()

    def command(self, *arguments: str, services: tuple[str, ...] = ()) -> str:
        """The `docker compose` command that does the same."""
        return shlex.join(docker_compose.command(self.file, *arguments, services=services))

    def setting(self, name: str) -> str:
        """A value from docker/.env; in a container, from what it was told."""
        if self.place == "inside" and name not in os.environ:
            raise StackError(f"This container is not told {name}, which is in docker/.env of the machine itself.")
        return os.environ[name] if self.place == "inside" else secrets.setting(name)

    def port(self, name: str) -> int:
        """The port on this machine that the Compose file calls NAME_PORT."""
        key = name.upper().replace("-", "_")
        if key not in self.file.ports:
            raise StackError(f"There is no port {name}. There are: {', '.join(self.file.ports).lower()}.")
        return self.file.ports[key] + self.port_offset

    def address(self, name: str) -> str:
        """host:port under which this machine, or the container we are in, reaches a service."""
        port = self.port(name)
        return f"127.0.0.1:{port}" if self.place != "inside" else self.file.address(name)

    def url(self, name: str) -> str:
        """The same as an http address."""
        return f"http://{self.address(name)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()


def _offset_wanted() -> int:
    wanted = os.environ.get("LAB_PORT_OFFSET", "0")
    try:
        return int(wanted)
    except ValueError:
        raise StackError(f"expected a number such as 100 in LAB_PORT_OFFSET, got {wanted!r}") from None
