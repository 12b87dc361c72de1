"""The place of a notebook that runs in one of our containers: it reaches the services, and starts and stops none."""

from collections.abc import Mapping
from pathlib import Path

from labkit.stack import one_shot
from labkit.stack.compose_file import ComposeFile
from labkit.stack.errors import StackError
from labkit.stack.place import Ready, ServiceState
from labkit.stack.servers.base import Process

ELSEWHERE = (
    "this notebook runs in a container, where there is no Docker; what it needs is started on the machine itself"
)


class Inside:
    """What can be done from in there: run the tools of the same image, with what this container was told.

    Args:
        file: the Compose file, as the image holds it.
        home: a folder that may be written to.
        told: the container's environment, in which LAB_SERVICE is the service that it runs.
    """

    name = "inside"

    def __init__(self, file: ComposeFile, home: Path, told: Mapping[str, str]) -> None:
        self._file = file
        self._home = home
        self._told = told

    def up(self, services: tuple[str, ...], _: dict[str, str]) -> list[Ready]:
        """Say that they are started elsewhere."""
        for name in services:
            self._file.kind(name)
        return [Ready(name, 0, ELSEWHERE) for name in services]

    def fetch(self) -> None:
        """Not from in here."""
        raise _not_here("fetch")

    def stop(self, services: tuple[str, ...]) -> None:
        """Not from in here."""
        raise _not_here(f"stop {' '.join(services)}")

    def down(self) -> None:
        """Not from in here."""
        raise _not_here("down")

    def destroy(self) -> None:
        """Not from in here."""
        raise _not_here("reset")

    def states(self) -> list[ServiceState]:
        """Nobody knows in here."""
        return []

    def logs(self, service: str, lines: int) -> str:
        """Not from in here."""
        raise _not_here(f"logs -n {lines} {service}")

    def kill(self, service: str, _: str) -> None:
        """Not from in here."""
        raise _not_here(f"stop {service}")

    def environment(self, service: str) -> dict[str, str]:
        """What this container was told of it: all that a tool of the same image reads, but for its mounts."""
        one = self._file.service(service, _Whatever())
        return {name: self._told[name] for name in one.environment if name in self._told}

    def run(self, service: str, arguments: tuple[str, ...], overrides: dict[str, str], *, alone: bool) -> str:  # noqa: ARG002
        """Run a tool of the same image in this container."""
        if self._file.image(service) != self._file.image(self._told["LAB_SERVICE"]):
            raise _not_here(" ".join((service, *arguments)))
        command = self._file.service(service, _Whatever()).command
        process = Process([*command, *arguments], {**self._told, **overrides}, Path.cwd())
        output, code = one_shot.run_to_end(process, self._home / "logs" / f"{service}.log")
        if code:
            raise StackError(f"The service {service} ended with status {code}, expected 0:\n\n{output}", service)
        return output


class _Whatever(dict[str, str]):
    """Variables for a reading of the Compose file that wants names, and no values."""

    def get(self, key: str, _default: object = None) -> str:
        return f"any-{key}"


def _not_here(command: str) -> StackError:
    return StackError(f"There is no Docker in this container. In a terminal of the machine itself: ./lab {command}")
