"""Python environments of services whose packages do not go with ours, each made from a lock file of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from labkit.alone import alone
from labkit.paths import BUILD, ROOT
from labkit.stack.errors import StackError

FOLDER = BUILD / "environments"


def folder(name: str) -> Path:
    """Where an environment is, or will be."""
    return FOLDER / name


def program(name: str, command: str) -> str:
    """The program that a command means in an environment; ours where no environment is named."""
    if not name:
        return sys.executable if command == "python" else command
    return str(folder(name) / "bin" / command)


def ensure(name: str, say: Callable[[str], None] = print, *, finds_services: bool = True) -> None:
    """Make an environment, or bring it up to its lock file; a moment when it is there already.

    Args:
        name: of the lock file, and of the folder below FOLDER.
        say: gets a line when something is installed.
        finds_services: whether its programs can import `gourmetgram`.

    Raises:
        StackError: there is no such lock file, or a package cannot be installed.
    """
    lock = ROOT / "locks" / f"{name}.txt"
    if not lock.exists():
        raise StackError(f"The Compose file names the environment {name}, and there is no {lock.relative_to(ROOT)}.")
    stamp = folder(name) / "installed"
    wanted = f"{ROOT} {sys.version_info[:2]} {sha256(lock.read_bytes()).hexdigest()}"
    with alone(FOLDER / f"{name}.lock"):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        began = time.monotonic()
        say(f"installing the environment {name} (once, about a minute) …")
        _install(name, lock)
        if finds_services:
            _add_services(name)
        stamp.write_text(wanted)
        say(f"installed after {time.monotonic() - began:.0f} s")


def _install(name: str, lock: Path) -> None:
    target = folder(name)
    if not (target / "bin" / "python").exists():
        _uv("venv", "--allow-existing", "--python", sys.executable, str(target))
    _uv("pip", "sync", "--require-hashes", "--python", str(target / "bin" / "python"), str(lock))


def _add_services(name: str) -> None:
    packages = folder(name) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "gourmetgram.pth").write_text(f"{ROOT / 'services'}\n")


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    environment = {"UV_LINK_MODE": "copy"} | os.environ
    done = subprocess.run([uv, *arguments, "--quiet"], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise StackError(f"uv {arguments[0]} failed; is the network up?\n{done.stdout}{done.stderr}")
