"""Append-only files of JSON lines that survive a kill at any moment."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

PRIVATE = 0o600
READABLE = 0o644
TAIL_BYTES = 1 << 16


class Journal:
    """A file to which whole lines are added. Several processes may add to the same file at the same time."""

    def __init__(self, path: Path, mode: int = READABLE) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
        self._repair()

    def append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Add one line for each entry. Not synced to disk: they survive the end of this process, not of the machine."""
        lines = memoryview(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            while lines:
                lines = lines[os.write(self._file, lines) :]
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def _repair(self) -> None:
        """Cut a last line that was torn when its writer died."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            end = os.fstat(self._file).st_size
            while end and os.pread(self._file, 1, end - 1) != b"\n":
                start = max(0, end - TAIL_BYTES)
                end = start + os.pread(self._file, end - start, start).rfind(b"\n") + 1
            os.ftruncate(self._file, end)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a journal, oldest first; nothing if it does not exist. A torn last line is left out."""
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(dict[str, Any])
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield decoder.decode(line)
