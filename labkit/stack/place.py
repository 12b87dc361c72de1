"""What every place can do with services, whatever they run as."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ServiceState:
    """One service: `running`, `starting`, `done` (a one-shot that ended well), `failed` or `stopped`."""

    name: str
    state: str
    detail: str = ""
    """Since when it runs, or what went wrong."""


@dataclass(frozen=True)
class Ready:
    """A service that is ready, and how long that took; `note` says why one was left out."""

    name: str
    seconds: float
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name:20} " + (f"left out: {self.note}" if self.note else f"ready after {self.seconds:.1f} s")


class Place(Protocol):
    """Where services run."""

    name: str

    def up(self, services: tuple[str, ...], overrides: dict[str, str]) -> list[Ready]:
        """Start services and what they need, and return when they are ready."""

    def fetch(self) -> None:
        """Fetch and make ahead whatever `up` would need of packages or images."""

    def stop(self, services: tuple[str, ...]) -> None:
        """Stop services; their data stays."""

    def down(self) -> None:
        """Stop everything; the data stays."""

    def destroy(self) -> None:
        """Stop everything, and delete the data."""

    def states(self) -> list[ServiceState]:
        """The services that were started."""

    def logs(self, service: str, lines: int) -> str:
        """The last lines that a service wrote."""

    def kill(self, service: str, signal_name: str) -> None:
        """Send a signal to a service's process, as a crash would."""

    def environment(self, service: str) -> dict[str, str]:
        """A service's environment variables, for a process of this machine."""

    def run(self, service: str, arguments: tuple[str, ...], overrides: dict[str, str], *, alone: bool) -> str:
        """Run a one-shot service with these arguments added, and return what it printed.

        `alone`: nothing that it needs is started for it.
        """
