"""The folders of a node: its home, and a PATH in which everything that could change the machine is a recorder."""

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

RECORDED = (
    *("sudo", "su", "sg", "newgrp", "apt-get", "apt", "dpkg", "snap", "add-apt-repository", "systemctl", "service"),
    *("usermod", "useradd", "adduser", "groupadd", "addgroup", "gpasswd", "passwd", "mount", "umount", "modprobe"),
    *("whoami", "ufw", "iptables", "nft", "sysctl", "reboot", "shutdown", "poweroff", "hostnamectl", "timedatectl"),
)
ANSWERS = "answers"
"""Folder beside the log in which a test puts programs that answer for recorders."""
ABSENT = ("docker", "docker-compose", "dockerd", "containerd", "podman", "nerdctl", "kubectl", "pkill", "killall")
"""Not on a fresh node, whatever this machine has; Docker comes with `apt-get install`."""


@dataclass(frozen=True)
class NodeHome:
    """A node's part of the file system.

    Attributes:
        node: id of the server.
        folder: for this node alone.
        log: file for the recorders, the same for all nodes.
    """

    node: str
    folder: Path
    log: Path

    @property
    def home(self) -> Path:
        """Where commands begin, and files arrive."""
        return self.folder / "home"

    @property
    def recorders(self) -> Path:
        """The beginning of the PATH."""
        return self.folder / "recorders"

    @property
    def environment(self) -> dict[str, str]:
        """What commands get to see; nothing of ours."""
        return {
            "HOME": str(self.home),
            "USER": "cc",
            "LOGNAME": "cc",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "PATH": f"{self.recorders}:{self.folder / 'programs'}",
            "LOOKALIKE_NODE": self.node,
            "LOOKALIKE_COMMANDS": str(self.log),
            "LOOKALIKE_ANSWERS": str(self.log.with_name(ANSWERS)),
        }

    def make(self, files: Path | None, docker: bool) -> None:
        """Make the folders; `files` are copied into the home."""
        self.home.mkdir(parents=True)
        if files:
            shutil.copytree(files, self.home, dirs_exist_ok=True)
        _add_recorders(self.recorders, (*RECORDED, "docker") if docker else RECORDED)
        _add_programs(self.folder / "programs")


def _add_recorders(folder: Path, names: Iterable[str]) -> None:
    """The script under its first name, and links to it under the others."""
    folder.mkdir()
    source = Path(__file__).with_name("recorder.py").read_text()
    script = folder / RECORDED[0]
    script.write_text(f"#!{sys.executable} -IS\n{source}")
    script.chmod(0o755)
    for name in names:
        if name != script.name:
            (folder / name).symlink_to(script.name)


def _add_programs(folder: Path) -> None:
    """A link to every program of this machine that is neither recorded nor absent."""
    folder.mkdir()
    for one in os.environ["PATH"].split(os.pathsep):
        for program in Path(one).iterdir() if Path(one).is_dir() else ():
            link = folder / program.name
            if program.name not in (*RECORDED, *ABSENT) and not link.is_symlink() and os.access(program, os.X_OK):
                link.symlink_to(program)
