"""The whole state of a lab in one archive, from one place to another; the service `state` does the work inside."""

import gzip
import json
import tarfile
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from minio import Minio

from labkit.stack import Stack, StackError

SERVICE = "state"
STORAGE = "minio"
MIGRATE = "migrate"
MANIFEST, SUMMARY = "manifest.json", "summary.json"
CHUNK_BYTES = 2**20
COMPARED = ("topics", "groups", "keys", "objects")
NOT_COMPARED = frozenset({"public.api_tokens", "public.alembic_version"})
"""Tables that differ on purpose: each lab has tokens of its own."""


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

    def differences(self, found: dict[str, Any]) -> list[str]:
        """What a restored lab holds otherwise than the archive says; nothing, if all is well."""
        others = [name for name in COMPARED if self.manifest[name] != found[name]]
        told = [f"{name}: {self.manifest[name]} in the archive, {found[name]} here" for name in others]
        for database, about in self.manifest["databases"].items():
            here = found["databases"][database]["tables"]
            for table, one in about["tables"].items():
                if table not in NOT_COMPARED and one["rows"] != here.get(table, {}).get("rows"):
                    told.append(f"{database} {table}: {one['rows']} rows in the archive, {here.get(table)} here")
        return told


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
    new.chmod(0o600)
    Archive.read(new)
    new.rename(file)
    return Archive.read(file)


def restore(stack: Stack, archive: Archive) -> list[str]:
    """Put the state of an archive in the place of what this lab holds, and start what ran when it was made.

    Raises:
        StackError: what was restored is not what the archive holds, or a service did not start.
    """
    load(stack, archive)
    here = [name for name in archive.services if name in stack.file.names]
    if stack.place == "embedded":
        here = [name for name in here if stack.file.kind(name) != "compose-only"]
    if here:  # to name none would mean all
        stack.up(*here)
    return here


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
        said = stack.run(SERVICE, "restore", exchange.name)
    if told := archive.differences(json.loads(said.splitlines()[-1])):
        raise StackError("The restored lab differs from the archive:\n" + "\n".join(told))


def told(manifest: dict[str, Any]) -> Iterator[str]:
    """What an archive holds, for people."""
    rows = sum(one["rows"] for about in manifest["databases"].values() for one in about["tables"].values())
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
    if not ours:  # to name none would mean all
        yield
        return
    stack.stop(*ours)
    try:
        yield
    finally:
        stack.up(*ours)


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
        """Get what is there."""
        self.storage.fget_object(self.bucket, self.prefix + self.name, str(file))


@contextmanager
def _exchange(stack: Stack) -> Iterator[_Exchange]:
    """A name of its own, behind which nothing is left at the end."""
    where = stack.exchange()
    storage = Minio(stack.address(STORAGE), where.access_key, where.secret_key, secure=False)
    exchange = _Exchange(storage, where.bucket, where.prefix, f"{uuid.uuid4().hex}.tar.gz")
    try:
        yield exchange
    finally:
        storage.remove_object(where.bucket, where.prefix + exchange.name)
