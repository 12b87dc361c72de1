"""What every native server has in common."""

import importlib.util
import os
import shutil
import stat
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from labkit.stack.errors import StackError

NOBODY = 65534


@dataclass(frozen=True)
class Process:
    """What the supervisor starts: a command, its whole environment, its folder, and the user when not ours."""

    argv: list[str]
    environment: dict[str, str]
    folder: Path
    user: int | None = None


@dataclass(frozen=True)
class Setting:
    """What a server is made from: its folder for data, its ports by use, and its part of the Compose file."""

    folder: Path
    ports: dict[str, int]
    environment: dict[str, str]
    options: dict[str, Any]
    compose_folder: Path


class Server(ABC):
    """A server from a package, standing in for the image of the same service."""

    stop_signal = "TERM"
    stop_seconds = 10

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs before it starts: folders, configuration, a first set of data."""

    @abstractmethod
    def process(self) -> Process:
        """How the server is started."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers; any exception means that it does not, yet."""

    def finish(self) -> None:  # noqa: B027 - most have nothing to do
        """What remains to be done once, when the server is ready."""

    def remove(self) -> None:  # noqa: B027 - most have nothing to do
        """Remove what `prepare` made outside of the server's folder."""


def package_folder(name: str) -> Path:
    """Where a Python package is installed, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"expected the package {name} in the environment; ./lab installs it")
    return Path(spec.origin).parent


def is_root() -> bool:
    """Whether we are the superuser, whom some servers refuse to serve."""
    return os.geteuid() == 0


def reachable_by_all(path: Path) -> bool:
    """Whether an ordinary user can get to this path."""
    existing = [one for one in (path, *path.parents) if one.exists()]
    return all(one.stat().st_mode & 0o001 for one in existing if one.is_dir())


def public_folder(path: Path) -> Path:
    """This path, or one below /var/tmp (kept over a reboot) when we are root and nobody else can get here.

    Raises:
        StackError: another user made that folder, to have root run or read what is in it.
    """
    if not is_root() or reachable_by_all(path):
        return path
    folder = Path("/var/tmp") / f"lab-{sha256(str(path).encode()).hexdigest()[:12]}"  # noqa: S108 - checked below
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != 0 or seen.st_mode & 0o022:
        raise StackError(f"{folder} was not made by the lab, so root must not use it. Remove it and try again.")
    return folder


def discard(folder: Path) -> None:
    """Remove a folder and all in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
