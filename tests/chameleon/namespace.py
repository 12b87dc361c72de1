"""A network of its own for the look-alike, where the machine allows one.

There, KVM@TACC's address is this machine, on the real ports, and nothing of it reaches the machine's own network. Runs
as the first thing inside of `unshare`.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.chameleon.folder import Folder

HOST = "kvm.tacc.chameleoncloud.org"
OWN = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
FIRST = ("bash", "-c", '"$@"; exit $?', "first")
"""The first process of a namespace has to collect those whose parents have ended, as bash does."""
WAYS = {
    "root": ("unshare", *OWN, *FIRST),
    "user": ("unshare", "--user", "--map-root-user", *OWN, *FIRST),
    "ports": (),
}
"""What to start a program with, so that all of it ends with its first process; `ports` is for other machines."""
FLOATING = "203.0.113.1"
NETMASK = "255.255.255.0"
GUARDED = ("/boot", "/etc", "/opt", "/root", "/usr", "/var")
SET_FLAGS, SET_ADDRESS, SET_NETMASK = 0x8914, 0x8916, 0x891C
UP_AND_RUNNING = 0x41


def way() -> str:
    """The best way that this machine allows."""
    for name in ("root", "user"):
        if shutil.which("unshare"):
            command = [*WAYS[name], "mount", "--bind", "/etc/hosts", "/etc/hosts"]
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                return name
    return "ports"


def ends_with_its_parent(way: str) -> tuple[str, ...]:
    """What to put before the way, so that everything ends when whoever started it is killed (Linux only)."""
    if not shutil.which("setpriv"):
        return ()
    return ("setpriv", "--pdeathsig", "TERM" if way == "ports" else "KILL")  # unshare holds SIGTERM back


def prepare(folder: Folder, keep: Iterable[Path]) -> None:
    """Give this namespace addresses and a hosts file, and keep what runs in it from changing the machine.

    Folders in `keep`, and all above them, stay writable.
    """
    _bring_up()
    _guard([path.resolve() for path in keep])
    hosts = folder.path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {HOST}\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def _bring_up() -> None:
    """The loopback interface, with all addresses that floating IPs may have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", UP_AND_RUNNING))
        for request, value in ((SET_ADDRESS, FLOATING), (SET_NETMASK, NETMASK)):
            address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(any_socket, request, address)


def _guard(keep: list[Path]) -> None:
    """Make the system's folders read-only here; only root could write there anyway."""
    if not os.access("/etc", os.W_OK):
        return
    for folder in map(Path, GUARDED):
        if folder.is_dir() and not any(one.is_relative_to(folder) for one in keep):
            subprocess.run(["mount", "--rbind", folder, folder], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
