"""The whole state of a lab in one archive, from one place to another; the service `state` does the work inside."""

import gzip
import json
import os
import tarfile
import uuid
import zlib
from collections import Counter
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
JUPYTER = "jupyter"
MANIFEST, SUMMARY = "manifest.json", "summary.json"
FORMAT = 1
CHUNK_BYTES = 2**20
AT_WORK = ("running", "starting", "failed")
"""States of services that may write now, or in a moment: what has failed is started again."""


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
        try:
            manifest = _read(file)
        except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
            raise StackError(f"{file} cannot be read as an archive of a lab: {error}") from error
        if not manifest:
            raise StackError(f"{file} is not whole: it was not made by `./lab save`, or not to its end.")
        if (number := manifest.get("format")) != FORMAT:
            raise StackError(f"{file} is of format {number}, and this copy of the lab reads format {FORMAT}.")
        archive = cls(file, manifest)
        if not archive.revision:
            raise StackError(f"{file} is of a lab that had no tables yet: there is nothing to go on with.")
        return archive

    @property
    def services(self) -> list[str]:
        """What ran when it was made."""
        return list(json.loads(self.manifest["note"]))

    @property
    def revision(self) -> str:
        """The migration that its tables are at; empty where there were none."""
        return str(self.manifest["databases"]["gourmetgram"]["revision"] or "")


def _read(file: Path) -> dict[str, Any]:
    """The manifest of a file that has all that its summary says; else nothing."""
    found: Counter[str] = Counter()
    told: dict[str, Any] = {}
    with gzip.open(file) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        for member in archive:
            if member.name in (MANIFEST, SUMMARY) and (content := archive.extractfile(member)):
                told[member.name] = json.load(content)
            if member.name != SUMMARY:
                found[member.name.partition("/")[0]] += 1
        while packed.read(CHUNK_BYTES):  # to its end, where its checksum is
            pass
    return dict(told.get(MANIFEST, {})) if told.get(SUMMARY) == found else {}


def save(stack: Stack, file: Path) -> Archive:
    """Stop what writes, write an archive, start it again.

    Raises:
        StackError: nothing runs that could be saved, a task is at work, or saving failed; nothing is changed then. Or
            the archive is written, and a service that was stopped for it does not start.
    """
    _require_outside(stack, file)
    states = {one.name: one.state for one in stack.ps() if one.name in stack.file.names}
    tasks = [name for name, state in states.items() if state == "running" and stack.file.is_one_shot(name)]
    at_work = [name for name, state in states.items() if state in AT_WORK and not stack.file.is_one_shot(name)]
    if STORAGE not in at_work:
        raise StackError("Nothing runs that could be saved: start the lab first (./lab up).")
    if tasks:
        raise StackError(f"{', '.join(tasks)} is at work: wait until it has ended.")
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    is_written = False
    try:
        with _stopped(stack, at_work), _exchange(stack) as exchange:
            stack.run(SERVICE, "save", exchange.name, "--note", json.dumps(at_work))
            exchange.fetch(new)
            archive = Archive.read(new)
            new.rename(file)
            is_written = True
    except StackError as error:
        if is_written:
            raise StackError(f"{file} is written. But: {error}", error.service) from error
        raise
    finally:
        new.unlink(missing_ok=True)
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
    _require_outside(stack, archive.file)
    stack.run_alone(MIGRATE, "--knows", archive.revision)  # else nothing is deleted; the old stores may be broken
    stack.destroy()
    stack.up(*(name for name in stack.file.with_needs((SERVICE,)) if name != SERVICE))
    stack.run(MIGRATE, "--to", archive.revision)
    with _exchange(stack) as exchange:
        exchange.send(archive.file)
        stack.run(SERVICE, "restore", exchange.name)
    stack.run(MIGRATE)


def _require_outside(stack: Stack, file: Path) -> None:
    """Refuse an archive among the data of the lab, which a restore deletes."""
    if file.resolve().is_relative_to(stack.home.resolve()):
        raise StackError(f"{file} is in {stack.home}, and a restore deletes that folder: take another place.")


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
def _stopped(stack: Stack, at_work: Sequence[str]) -> Iterator[None]:
    """What writes into the stores does not run meanwhile: our own services, and the JupyterLab beside the data."""
    writers = [name for name in at_work if stack.file.kind(name) == "own" or name == JUPYTER]
    try:
        stack.stop(*writers)
        yield
    finally:
        _start(stack, writers)


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
        for left in storage.list_objects(where.bucket, where.prefix, recursive=True):  # also of one that was killed
            storage.remove_object(where.bucket, str(left.object_name))
