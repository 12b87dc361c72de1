"""An archive that is written and read in one pass: a tar file, compressed, with a manifest first and a summary last."""

import gzip
import io
import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple, cast

FORMAT: Final = 1
KIND: Final = "media-type"
CHUNK_BYTES: Final = 2**20
BROKEN: Final = (tarfile.TarError, OSError, EOFError, zlib.error)
"""What reading a damaged archive raises."""

MANIFEST: Final = "manifest.json"
SUMMARY: Final = "summary.json"
"""Members by kind; an archive without it is not whole."""


class Damaged(RuntimeError):
    """The archive cannot be read, or is not whole."""


class Member(NamedTuple):
    """A file of the archive; `content` can be read once, before the next member is asked for."""

    name: str
    size: int
    content: BinaryIO
    kind: str
    """The media type of an object; empty for everything else."""

    @property
    def parts(self) -> list[str]:
        """The name, split at its slashes."""
        return self.name.split("/")


class Writer:
    """Adds members to an archive that goes into `target` as it is made."""

    def __init__(self, target: BinaryIO, manifest: dict[str, Any]) -> None:
        self._packed = gzip.GzipFile(fileobj=target, mode="wb", compresslevel=3)
        self._tar = tarfile.open(fileobj=self._packed, mode="w|")  # noqa: SIM115 - until close()
        self._members: Counter[str] = Counter()
        self.add(MANIFEST, json.dumps({"format": FORMAT} | manifest, indent=1).encode())

    def add(self, name: str, content: bytes) -> None:
        """Add a file that is in memory."""
        self.copy(name, len(content), io.BytesIO(content))

    def copy(self, name: str, size: int, content: BinaryIO, kind: str = "") -> None:
        """Add a file of a known size, piece by piece.

        Raises:
            ValueError: the name is that of a folder, which would come out without its slash.
        """
        if name.endswith("/"):
            raise ValueError(f"{name} is no name of a file")
        member = tarfile.TarInfo(name)
        member.size = size
        if kind:
            member.pax_headers = {KIND: kind}
        self._tar.addfile(member, content)
        self._members[name.split("/", maxsplit=1)[0]] += 1

    def close(self) -> None:
        """Finish the archive."""
        self.add(SUMMARY, json.dumps(self._members).encode())
        self._tar.close()
        self._packed.close()


class Reader:
    """Reads an archive from its beginning to its end."""

    def __init__(self, source: BinaryIO) -> None:
        try:
            self._packed = gzip.GzipFile(fileobj=source)
            self._tar = tarfile.open(fileobj=self._packed, mode="r|")  # noqa: SIM115 - its owner closes the source
            self._rest = self._all()
            first = next(self._rest)
        except (*BROKEN, StopIteration) as error:
            raise Damaged(f"this is no archive of a lab: {error or 'it is empty'}") from error
        if first.name != MANIFEST:
            raise Damaged(f"this is no archive of a lab: it begins with {first.name}")
        self.manifest: dict[str, Any] = json.loads(first.content.read())
        if self.manifest.get("format") != FORMAT:
            raise Damaged(f"the archive is of format {self.manifest.get('format')}, and this lab reads format {FORMAT}")

    def members(self) -> Iterator[Member]:
        """All members behind the manifest.

        Raises:
            Damaged: the archive is not whole. Where it ends in a member, reading that raises one of `BROKEN`.
        """
        read: Counter[str] = Counter({MANIFEST: 1})
        try:
            for member in self._rest:
                if member.name == SUMMARY:
                    if json.loads(member.content.read()) != read:
                        raise Damaged("the archive lacks files that it should have")
                    while self._packed.read(CHUNK_BYTES):  # to its end, where its checksum is
                        pass
                    return
                yield member
                read[member.parts[0]] += 1
        except BROKEN as error:
            raise Damaged(f"the archive is damaged: {error}") from error
        raise Damaged("the archive ends too early")

    def _all(self) -> Iterator[Member]:
        for member in self._tar:
            content = self._tar.extractfile(member)
            if content:
                yield Member(member.name, member.size, cast(BinaryIO, content), member.pax_headers.get(KIND, ""))
