"""Objects of object storage, as they are; models are signed anew, because the key of a lab stays with it."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit

from minio import Minio
from minio.deleteobjects import DeleteObject

from gourmetgram.state.bundle import Member, Writer
from gourmetgram.state.settings import StateSettings

ARCHIVES: Final = "state/"
"""Where an archive lies in object storage on its way out or in; it is part of no archive."""

PART_BYTES: Final = 16 * 2**20
UNKNOWN: Final = "application/octet-stream"


class Objects:
    """All buckets, as their owner."""

    def __init__(self, settings: StateSettings) -> None:
        address = urlsplit(settings.s3_endpoint)
        keys = (settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value())
        self._client = Minio(address.netloc, *keys, secure=address.scheme == "https")
        self.buckets = settings.buckets
        self._exchange = settings.buckets[-1]

    def about(self) -> dict[str, dict[str, int]]:
        """Number and bytes of the objects, by bucket."""
        return {bucket: _totals(self._all(bucket)) for bucket in self.buckets}

    def save(self, writer: Writer) -> None:
        """Add all objects; folders are in their names, so that markers of folders need not come along."""
        for bucket in self.buckets:
            for one in self._all(bucket):
                with closing(self._client.get_object(bucket, one.object_name)) as answer:
                    kind = answer.headers.get("content-type", UNKNOWN)
                    writer.copy(f"objects/{bucket}/{one.object_name}", one.size, cast(BinaryIO, answer), kind)
                    answer.release_conn()

    def named(self, prefix: str, file: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of each object below a prefix whose last part is this, in the bucket of the tables."""
        for one in self._client.list_objects(self._exchange, prefix, recursive=True):
            if str(one.object_name).endswith(f"/{file}"):
                with closing(self._client.get_object(self._exchange, str(one.object_name))) as answer:
                    yield str(one.object_name), answer.read()
                    answer.release_conn()

    def empty(self) -> None:
        """Delete all objects, but for the archive that is being read."""
        for bucket in self.buckets:
            names = (DeleteObject(one.object_name) for one in self._all(bucket, markers=True))
            for error in self._client.remove_objects(bucket, names):
                raise RuntimeError(f"{bucket}/{error.name} cannot be deleted: {error.message}")

    def load(self, member: Member, content: bytes | None = None) -> None:
        """Write one object, or something else in its place."""
        _, bucket, *path = member.parts
        source: BinaryIO = member.content if content is None else io.BytesIO(content)
        size = member.size if content is None else len(content)
        self._client.put_object(bucket, "/".join(path), source, size, content_type=member.kind or UNKNOWN)

    def send(self, name: str, write: Callable[[BinaryIO], None]) -> None:
        """Upload an archive while it is made: `write` gets what it goes into."""
        readable, writable = os.pipe()
        failed: list[BaseException] = []

        def work() -> None:
            with os.fdopen(writable, "wb") as target:
                try:
                    write(target)
                except BaseException as error:
                    failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        with os.fdopen(readable, "rb") as source:
            self._client.put_object(self._exchange, ARCHIVES + name, source, -1, part_size=PART_BYTES)
        thread.join()
        if failed:
            raise failed[0]

    def archive(self, name: str) -> Any:
        """An archive that was uploaded, to be read once and closed."""
        return self._client.get_object(self._exchange, ARCHIVES + name)

    def _all(self, bucket: str, *, markers: bool = False) -> Iterator[Any]:
        """All but archives; `markers` are empty objects whose names end with a slash, as PyArrow writes for folders."""
        for one in self._client.list_objects(bucket, recursive=True):
            name = str(one.object_name)
            is_archive = bucket == self._exchange and name.startswith(ARCHIVES)
            if not is_archive and (markers or not name.endswith("/")):
                yield one


def _totals(found: Iterator[Any]) -> dict[str, int]:
    sizes = [int(one.size) for one in found]
    return {"objects": len(sizes), "bytes": sum(sizes)}
