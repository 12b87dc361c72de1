"""The whole state of a lab in one archive, from one place to another; the service `state` does the work inside."""

import gzip
import json
import os
import tarfile
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from minio import Minio

from labkit.object_storage import STORAGE, client
from labkit.stack import Stack, StackError
from labkit.stack.place import Ready

SERVICE = "state"
MIGRATE = "migrate"
MANIFEST, SUMMARY = "manifest.json", "summary.json"
CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Archive:
    """A file with a whole state, and what it says of itself."""

    file: Path
    manifest: dict[str, Any]

    @classmethod
    def read(cls, file: Path) -> "Archive":
        """Read the whole file, so that a damaged one is found before anything is deleted.

        Raises:
            StackError: it is no archive of a lab, or not whole.
        """
        last, manifest = "", None
        try:
            with gzip.open(file) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
                for member in archive:
                    last = member.name
                    if last == MANIFEST and (content := archive.extractfile(member)):
                        manifest = json.load(content)
                while packed.read(CHUNK_BYTES):  # to its end, where its checksum is
                    pass
        except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
            raise StackError(f"{file} cannot be read as an archive of a lab: {error}") from error
        if manifest is None or last != SUMMARY:
            raise StackError(f"{file} is not whole: it was not made by `./lab save`, or not to its end.")
        return cls(file, manifest)

    @property
    def services(self) -> list[str]:
        """What ran when it was made."""
        return list(json.loads(self.manifest["note"]))

    @property
    def revision(self) -> str:
        """The migration that its tables are at."""
        revisions = (about["revision"] for about in self.manifest["databases"].values())
        return str(next(filter(None, revisions)))


def save(stack: Stack, file: Path) -> Archive:
    """Stop what writes, write an archive, start it again.

    Raises:
        StackError: nothing runs that could be saved, or saving failed; nothing is changed then.
    """
    running = [one.name for one in stack.ps() if one.state == "running"]
    if STORAGE not in running:
        raise StackError("Nothing runs that could be saved: start the lab first (./lab up).")
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    with _stopped(stack, running), _exchange(stack) as exchange:
        stack.run(SERVICE, "save", exchange.name, "--note", json.dumps(running))
        exchange.fetch(new)
    archive = Archive.read(new)
    new.rename(file)
    return replace(archive, file=file)


def restore(stack: Stack, archive: Archive) -> Sequence[Ready]:
    """Put the state of an archive in the place of what this lab holds, and start what ran when it was made.

    Raises:
        StackError: what was restored is not what the archive holds, or a service did not start.
    """
    load(stack, archive)
    return _start(stack, [name for name in archive.services if name in stack.file.names])


def load(stack: Stack, archive: Archive) -> None:
    """The same, with nothing running behind it but the stores.

    Raises:
        StackError: what was restored is not what the archive holds.
    """
    stack.run(MIGRATE, "--knows", archive.revision)  # else nothing is deleted
    stack.destroy()
    stack.up(*(name for name in stack.file.with_needs((SERVICE,)) if name != SERVICE))
    stack.run(MIGRATE, "--to", archive.revision)
    with _exchange(stack) as exchange:
        exchange.send(archive.file)
        stack.run(SERVICE, "restore", exchange.name)
    stack.run(MIGRATE)


def told(manifest: dict[str, Any]) -> Iterator[str]:
    """What an archive holds, for people."""
    rows = sum(one["rows"] or 0 for about in manifest["databases"].values() for one in about["tables"].values())
    records = sum(end - first for first, end in manifest["topics"].values())
    yield f"saved    {manifest['made']}"
    yield f"rows     {rows:,} in {' and '.join(manifest['databases'])}"
    yield f"records  {records:,} in {len({name.partition('/')[0] for name in manifest['topics']})} topics"
    yield f"keys     {manifest['keys']:,} in Redis"
    for bucket, one in manifest["objects"].items():
        yield f"objects  {one['objects']:,} in {bucket}, {one['bytes'] / 1e6:.1f} MB"


@contextmanager
def _stopped(stack: Stack, running: list[str]) -> Iterator[None]:
    """Our own services, which write into the stores, do not run meanwhile."""
    ours = [name for name in running if stack.file.kind(name) == "own"]
    stack.stop(*ours)
    try:
        yield
    finally:
        _start(stack, ours)


def _start(stack: Stack, services: Sequence[str]) -> Sequence[Ready]:
    """Start these, also if there are none: to name none would mean all."""
    return stack.up(*services) if services else []


class _Exchange(NamedTuple):
    """An archive in object storage, where the service that makes or reads it and this machine meet."""

    storage: Minio
    bucket: str
    prefix: str
    name: str

    def send(self, file: Path) -> None:
        """Put a file there."""
        self.storage.fput_object(self.bucket, self.prefix + self.name, str(file))

    def fetch(self, file: Path) -> None:
        """Get what is there, for nobody else to read: it holds all that people have written."""
        before = os.umask(0o077)
        try:
            self.storage.fget_object(self.bucket, self.prefix + self.name, str(file))
        finally:
            os.umask(before)


@contextmanager
def _exchange(stack: Stack) -> Iterator[_Exchange]:
    """A name of its own, behind which nothing is left at the end."""
    where = stack.exchange()
    storage = client(stack, where)
    exchange = _Exchange(storage, where.bucket, where.prefix, f"{uuid.uuid4().hex}.tar.gz")
    try:
        yield exchange
    finally:
        storage.remove_object(where.bucket, where.prefix + exchange.name)
