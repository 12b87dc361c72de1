"""A history of a test's own, events for it, and everything that its bucket holds."""

import io
import itertools
import subprocess
import sys
import uuid
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet
from confluent_kafka import Producer
from minio import Minio
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from gourmetgram.core import events
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DEFINITIONS
from tests.support.lakehouse import Count, landed, microseconds
from tests.support.processes import ENDS_WITH_ITS_PARENT

OF_SOME: dict[str, dict[str, Any]] = {"comment": {"comment_id": 5}, "flag": {"flag_id": 6, "reason": "spam"}}
KINDS: list[tuple[str, type[Any]]] = [("view", events.View), ("comment", events.Comment), ("flag", events.Flag)]
FIVE_MINUTES = 300_000_000

WRITES_AND_NEVER_COMMITS = """
import time
from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.catalog import open_catalog
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import EVENTS

table = open_catalog(LakehouseSettings()).load_table(EVENTS)
rows = table.scan().to_arrow()
files.write(table.transaction(), added=[rows], removed=files.live(table), summary={}, properties={"lost": "yes"})
print("written", flush=True)
time.sleep(600)
"""


class Activity:
    """Events about some images, yesterday and the day before."""

    def __init__(self, servers: str) -> None:
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 5})
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        self._days = [noon - timedelta(days=2), noon - timedelta(days=1)]
        self._numbers = itertools.count()

    def happen(self, images: Iterable[int], times: int = 1) -> list[str]:
        """A view, a comment and a flag on each image on each day; returns the event ids."""
        made = [
            make(
                event_id=uuid.uuid4(),
                occurred_at=day + timedelta(seconds=61 * next(self._numbers) % 36_000),
                image_id=image,
                user_id=1,
                is_test=False,
                **OF_SOME.get(kind, {}),
            )
            for image in images
            for day in self._days
            for kind, make in KINDS
            for _ in range(times)
        ]
        self._publish(made)
        return [str(one.event_id) for one in made]

    def delete(self, image: int) -> None:
        self._publish(
            [
                events.Deletion(
                    event_id=uuid.uuid4(), occurred_at=datetime.now(UTC), image_id=image, user_id=0, is_test=False
                )
            ]
        )

    def _publish(self, made: Iterable[Any]) -> None:
        for one in made:
            self._producer.produce(one.topic, events.encode(one), str(one.image_id))
        assert self._producer.flush(30) == 0


def killed_writer(environment: dict[str, str]) -> None:
    """A process that has written all files of a commit, and is killed before the commit."""
    command = [*ENDS_WITH_ITS_PARENT, sys.executable, "-c", WRITES_AND_NEVER_COMMITS]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "written\n"
        finally:
            process.kill()


def recounted(settings: LakehouseSettings, kind: str) -> dict[Count, int]:
    """The windows of a kind, counted from the events that have landed."""
    return Counter(
        (row["image_id"], microseconds(row["occurred_at"]) // FIVE_MINUTES * FIVE_MINUTES)
        for row in landed(settings)
        if row["event_type"] == kind and not row["is_test"] and (kind != "flag" or row["comment_id"] is None)
    )


def every_table(settings: LakehouseSettings) -> Iterator[tuple[SqlCatalog, str, Table]]:
    with closing(open_catalog(settings)) as catalog:
        for name in DEFINITIONS:
            yield catalog, name, catalog.load_table(name)


class Bucket:
    """The object storage, through another client than the platform's."""

    def __init__(self, settings: LakehouseSettings) -> None:
        self._client = Minio(
            settings.s3_endpoint.removeprefix("http://"),
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=False,
        )
        self._bucket, self._prefix = settings.warehouse.removeprefix("s3://").split("/", 1)

    def objects(self) -> set[str]:
        """Bucket and key of all objects of the warehouse; folders have no bytes and count nowhere."""
        found = self._client.list_objects(self._bucket, f"{self._prefix}/", recursive=True)
        return {f"{self._bucket}/{one.object_name}" for one in found if not one.object_name.endswith("/")}

    def read(self, key: str) -> bytes:
        answer = self._client.get_object(self._bucket, key.removeprefix(f"{self._bucket}/"))
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def remove(self, key: str) -> None:
        self._client.remove_object(self._bucket, key.removeprefix(f"{self._bucket}/"))

    def holding(self, number: int) -> set[str]:
        """Keys of the objects in which this number stands, unpacked: as text, as eight bytes, or as Avro writes it."""
        forms = [str(number).encode(), number.to_bytes(8, "little"), _zigzag(number)]
        return {
            key
            for key in self.objects()
            if any(form in content for content in _unpacked(self.read(key)) for form in forms)
        }


def _unpacked(content: bytes) -> Iterator[bytes]:
    yield content
    if content.startswith(b"PAR1"):
        rows = pyarrow.parquet.read_table(io.BytesIO(content))
        for column in rows.columns:
            for value in column.unique().to_pylist():
                yield str(value).encode()
    elif content.startswith(b"Obj\x01"):
        yield from _avro_blocks(io.BytesIO(content[4:]))


def _avro_blocks(file: io.BytesIO) -> Iterator[bytes]:
    """The blocks of an Avro container file, inflated: see the specification, "Object container files"."""
    header = {}
    while entries := _long(file):
        assert entries > 0
        for _ in range(entries):
            name = file.read(_long(file))
            header[name] = file.read(_long(file))
    yield from header.values()
    assert header.get(b"avro.codec", b"null") in {b"null", b"deflate"}
    file.read(16)
    while file.tell() < len(file.getbuffer()):
        _long(file)
        block = file.read(_long(file))
        file.read(16)
        yield zlib.decompress(block, wbits=-15) if header.get(b"avro.codec") == b"deflate" else block


def _long(file: io.BytesIO) -> int:
    number = 0
    for shift in itertools.count(0, 7):
        byte = file.read(1)[0]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return number >> 1 ^ -(number & 1)


def _zigzag(number: int) -> bytes:
    rest = number << 1
    coded = b""
    while rest > 0x7F:
        coded += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return coded + bytes([rest])
