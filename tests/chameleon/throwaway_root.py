"""A fresh Ubuntu 24.04 in a folder, as a server of Chameleon has it; nothing in it outlives a session."""

import os
import shlex
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from labkit.chameleon.transfer import FOLDER, files
from labkit.paths import ROOT

SUITE, MIRROR = "noble", "http://archive.ubuntu.com/ubuntu"
KEYRING = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
KEYRING_SHA256 = "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8"
PACKAGES = "sudo,ca-certificates,curl,git,python3,procps"
"""What Chameleon's image has, and the smallest Ubuntu has not."""

USER = "cc"
TOLD = ("PIP_", "UV_", "SSL_", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy")
"""How this machine reaches package registries, so that the root does, too."""

NAMESPACES = ("unshare", "--pid", "--fork", "--kill-child", "--mount")

SYSTEMCTL = r"""#!/bin/sh
# There is no systemd in here: what it would start for the lab is started by hand. It has a network for itself: in that
# of the machine it would delete the bridge of the machine's own engine.
if [ "$*" = "enable --now docker" ] && ! docker info >/dev/null 2>&1; then
    setsid unshare --net dockerd --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs \
        >/var/log/dockerd.log 2>&1 &
fi
"""

ENTER = """set -e
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
[ -z "$alone" ] || ip link set lo up
exec chroot "$root" sudo -u cc env HOME=/home/cc USER=cc {told} bash -c {script}
"""


@dataclass(frozen=True)
class Step:
    """What a command wrote, both streams, and its exit status."""

    output: str
    code: int


def missing() -> str:
    """Why this machine cannot have such a root; empty when it can."""
    if os.getuid():
        return "needs root, to make a root of its own"
    tools = [tool for tool in ("debootstrap", "unshare", "chroot", "ip", "dpkg-deb") if not shutil.which(tool)]
    if tools:
        return f"needs {', '.join(tools)}"
    if subprocess.run([*NAMESPACES, "--net", "true"], capture_output=True, check=False).returncode:
        return "this machine grants no namespaces"
    try:
        urllib.request.urlopen(f"{MIRROR}/dists/{SUITE}/Release", timeout=10).close()
    except OSError as error:
        return f"Ubuntu's archive cannot be reached: {error}"
    return ""


class ThrowawayRoot:
    """The root, made in a folder that is empty."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "root"
        argv = ["debootstrap", "--variant=minbase", f"--keyring={_keyring(folder)}", f"--include={PACKAGES}"]
        argv += ["--components=main,universe", SUITE, str(self.path), MIRROR, "/usr/share/debootstrap/scripts/gutsy"]
        subprocess.run(argv, check=True, capture_output=True, timeout=600)
        self._settle()

    def _settle(self) -> None:
        """The user of Chameleon's images, and this machine's way to registries."""
        subprocess.run(["chroot", self.path, "useradd", "--create-home", "--shell", "/bin/bash", USER], check=True)
        (self.path / "etc/sudoers.d" / USER).write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
        systemctl = self.path / "usr/local/bin/systemctl"
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)
        (self.path / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n")
        for name in ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
            if Path("/", name).exists():
                shutil.copyfile(Path("/", name), self.path / name)

    def bring_lab(self) -> None:
        """The lab's files, where notebook 1 puts them."""
        home = self.path / "home" / USER
        with tarfile.open(home / "lab.tar", "w") as archive:
            for name in files(ROOT):
                archive.add(ROOT / name, f"{FOLDER}/{name}", recursive=False)
        with tarfile.open(home / "lab.tar") as archive:
            archive.extractall(home, filter="tar")
        subprocess.run(["chroot", self.path, "chown", "--recursive", f"{USER}:", f"/home/{USER}"], check=True)

    def session(self, commands: Sequence[str], *, network: bool) -> list[Step]:
        """Run these commands in order as the user; with the network of this machine, or with none but its own.

        Whatever they start ends with the session: it has a process namespace, whose first process ends last.
        """
        script = "cd\n" + "\n".join(f"( {one} ) 2>&1\nprintf '\\n::end %s\\n' $?" for one in commands)
        told = {name: value for name, value in os.environ.items() if name.startswith(TOLD)}
        enter = ENTER.format(
            told=" ".join(f"{name}={shlex.quote(value)}" for name, value in told.items()), script=shlex.quote(script)
        )
        argv = [*NAMESPACES, *([] if network else ["--net"]), "bash", "-c", enter]
        environment = {**os.environ, "root": str(self.path), "alone": "" if network else "yes"}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=900, check=False)
        steps = _steps(done.stdout)
        assert len(steps) == len(commands), done.stdout + done.stderr
        return steps


def _steps(said: str) -> list[Step]:
    steps: list[Step] = []
    lines: list[str] = []
    for line in said.splitlines():
        if line.startswith("::end "):
            steps.append(Step("\n".join(lines).strip(), int(line.split()[1])))
            lines = []
        else:
            lines.append(line)
    return steps


def _keyring(folder: Path) -> Path:
    """Ubuntu's keys, which the packages of the root are checked against; this package itself by its checksum."""
    with urllib.request.urlopen(f"{MIRROR}/{KEYRING}", timeout=60) as answer:
        content = answer.read()
    assert sha256(content).hexdigest() == KEYRING_SHA256, f"{KEYRING} is not the file that was tested"
    (folder / "keyring.deb").write_bytes(content)
    subprocess.run(["dpkg-deb", "--extract", folder / "keyring.deb", folder / "keyring"], check=True)
    return folder / "keyring/usr/share/keyrings/ubuntu-archive-keyring.gpg"
