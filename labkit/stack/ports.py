"""Ports of this machine: shifted by an offset, and free when we take them."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from labkit.stack.errors import StackError

OFFSETS = range(20, 12_000, 20)
"""All ports stay below those that the system gives to clients (from 32768 on)."""

_held: dict[int, list[int]] = {}
"""Locks by the offset that they keep for this process."""


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):  # somebody listens, or there is no such port
            return False
    return True


def variables(ports: Mapping[str, int], offset: int) -> dict[str, str]:
    """What the Compose file is told about ports: NAME_PORT, and for plain processes where they listen and are found."""
    told = {}
    for name, port in ports.items():
        told[f"{name}_PORT"] = str(port + offset)
        told[f"{name}_ADDRESS"] = told[f"{name}_LISTEN"] = f"127.0.0.1:{port + offset}"
        told[f"{name}_LISTEN_HOST"], told[f"{name}_LISTEN_NUMBER"] = "127.0.0.1", str(port + offset)
    return told


def free_offset(ports: Iterable[int]) -> int:
    """An offset under which all ports are free. They are ours, even before we listen, until we release it or end."""
    ports = list(ports)
    for offset in random.sample(OFFSETS, len(OFFSETS)):
        shifted = [port + offset for port in ports]
        if all(map(is_free, shifted)) and (locks := _reserve(shifted)):
            _held[offset] = locks
            return offset
    raise StackError("No free ports were found for another stack. Is an earlier one still running? See ./lab doctor.")


def release(offset: int) -> None:
    """Let others have the ports of this offset, if they were ours."""
    for lock in _held.pop(offset, []):
        os.close(lock)


def _reserve(ports: Iterable[int]) -> list[int]:
    """A lock on a file per port, so that two starts at once do not choose the same one; none if one is taken."""
    folder = Path(tempfile.gettempdir(), f"lab-{os.getuid()}-ports")
    folder.mkdir(mode=0o700, exist_ok=True)
    locks: list[int] = []
    try:
        for port in ports:
            locks.append(os.open(folder / str(port), os.O_CREAT | os.O_RDWR, 0o600))
            fcntl.flock(locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        for lock in locks:
            os.close(lock)
        return []
    return locks
