"""What a student takes along from a machine that goes away: one archive, without any password of docker/.env."""

import io
import tarfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from labkit.object_storage import STORAGE, client
from labkit.paths import BUILD, NOTEBOOKS, ROOT, STATE_ARCHIVE
from labkit.runner.folders import STACK
from labkit.stack import Stack, StackError
from labkit.stack.compose_file import Kept

TOP = "my-lab"
"""The folder in the archive."""

CHECKPOINTS = ".ipynb_checkpoints"
"""The folder in which Jupyter keeps copies of its own."""

SHOWN = 200
"""So many characters of an error's message."""


@dataclass(frozen=True)
class Packed:
    """An archive: how many files are in each of its folders, its size in bytes, and its SHA-256.

    `missing` says why what lies in object storage is not in it; empty when it is.
    """

    counts: Mapping[str, int]
    size: int
    checksum: str
    missing: str = ""


def pack(stack: Stack, file: Path) -> Packed:
    """Write the archive, whole or not at all. The object storage is started if it does not run.

    If it does not start, everything else is packed nevertheless: the machine may not be there tomorrow.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    counts: Counter[str] = Counter()
    missing = ""
    with tarfile.open(new, "w:gz") as archive:
        for folder, name, content in _files(stack.progress_file, {file.resolve(), new.resolve()}):
            _add(archive, f"{TOP}/{folder}/{name}", content)
            counts[folder] += 1
        try:
            for folder, name, content in _objects(stack):
                _add(archive, f"{TOP}/{folder}/{name}", content)
                counts[folder] += 1
        except (StackError, MinioException, HTTPError) as error:
            missing = f"{type(error).__name__}: {str(error).splitlines()[0][:SHOWN]}"
    new.rename(file)
    return Packed(counts, file.stat().st_size, sha256(file.read_bytes()).hexdigest(), missing)


def _files(progress_file: Path, archives: Collection[Path]) -> Iterator[tuple[str, str, bytes]]:
    """Folder, name and content of what lies on this machine, but for the archive itself and the one before it."""
    folders = {"notebooks": NOTEBOOKS, "work": ROOT / "work", "report": (BUILD / "runs/latest").resolve()}
    for folder, source in folders.items():
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source)
            is_left_out = (
                path.resolve() in archives
                or CHECKPOINTS in name.parts
                or name.name.startswith(STATE_ARCHIVE)
                or (folder == "report" and name.parts[0] == STACK)
            )
            if path.is_file() and not is_left_out:
                yield folder, name.as_posix(), path.read_bytes()
    if progress_file.exists():
        yield "progress", progress_file.name, progress_file.read_bytes()


def _objects(stack: Stack) -> Iterator[tuple[str, str, bytes]]:
    """The same of what lies in object storage."""
    kept = stack.kept()
    if kept:
        stack.up(STORAGE)
    for folder, what in kept.items():
        yield from ((folder, name, content) for name, content in _read(client(stack, what), what))


def _read(storage: Minio, what: Kept) -> Iterator[tuple[str, bytes]]:
    if not storage.bucket_exists(what.bucket):  # nobody has come so far yet
        return
    for one in storage.list_objects(what.bucket, what.prefix, recursive=True):
        answer = storage.get_object(what.bucket, one.object_name)
        try:
            yield one.object_name.removeprefix(what.prefix), answer.read()
        finally:
            answer.close()
            answer.release_conn()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o600
    archive.addfile(about, io.BytesIO(content))
