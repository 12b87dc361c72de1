"""Topics in memory and tables in a folder, so that hundreds of histories can be lived through in a minute."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.fs
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable, Table

from gourmetgram.core.broker import BrokerUnavailable
from gourmetgram.core.records import TOPICS, Record
from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.landing import Landed, Landing
from gourmetgram.lakehouse.offsets import Offsets, Place, Range
from gourmetgram.lakehouse.tables import DELETED_IMAGES, EVENTS, HISTORY, WINDOWS
from gourmetgram.lakehouse.topic_log import PLACES, TopicLog, fingerprint
from gourmetgram.lakehouse.windows import Windows
from tests.support.lakehouse import Count, microseconds


class Stored(NamedTuple):
    """A record as a topic holds it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class MemoryLog(TopicLog):
    """Reads as the real one does, the places in turns that are drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.topics: dict[Place, list[Stored]] = defaultdict(list)
        self.firsts: dict[Place, int] = defaultdict(int)
        """Offsets below which the records have expired."""
        self.largest = 5
        """Most records of a batch."""
        self.away_after: int | None = None
        """Batches after which the broker is away."""
        self._chance = random.Random(seed)

    def append(self, place: Place, key: bytes | None, value: bytes | None) -> None:
        """A record at the end of its place."""
        self.topics[place].append(Stored(*place, len(self.topics[place]), key, value))

    def before(self, ends: Offsets) -> list[Stored]:
        """All records before these offsets."""
        return [record for place, end in ends.items() for record in self.topics[place][:end]]

    def ranges(self) -> dict[Place, Range]:
        return {place: Range(self.firsts[place], len(self.topics[place])) for place in PLACES}

    def prints_before(self, offsets: Offsets, ranges: Mapping[Place, Range]) -> dict[Place, str]:
        return {
            place: fingerprint(self.topics[place][offset - 1].value)
            for place, offset in offsets.items()
            if place in ranges and ranges[place].first < offset <= ranges[place].end
        }

    def read(self, starts: Offsets, ends: Offsets) -> Iterator[Sequence[Record]]:
        at = {place: starts[place] for place in ends}
        assert all(offset >= self.firsts[place] for place, offset in at.items())
        while missing := [place for place, end in ends.items() if at[place] < end]:
            if self.away_after == 0:
                raise BrokerUnavailable("the test says so")
            if self.away_after is not None:
                self.away_after -= 1
            batch = []
            for place in self._chance.sample(missing, self._chance.randint(1, len(missing))):
                until = min(ends[place], at[place] + self._chance.randint(1, self.largest))
                batch += [
                    Record(TOPICS.index(one.topic), one.partition, one.offset, one.key, one.value)
                    for one in self.topics[place][at[place] : until]
                ]
                at[place] = until
            yield batch


class FolderLake:
    """The tables in a folder, its catalog in memory. Every step loads them anew, as the tasks of a run do."""

    def __init__(self, folder: Path) -> None:
        self.catalog = SqlCatalog("gourmetgram", uri="sqlite:///:memory:", warehouse=folder.as_uri())
        self._storage = pyarrow.fs.LocalFileSystem()

    def land(self, log: MemoryLog, ends: Offsets, run: str, chunk: int) -> Landed:
        loaded = tables.ensure(self.catalog)
        return Landing(loaded[EVENTS], loaded[DELETED_IMAGES], self._storage, chunk).land(log, ends, run)

    def write_windows(self, kind: str, ends: Offsets, run: str) -> int:
        return self.windows(kind).write(ends, run)

    def windows(self, kind: str) -> Windows:
        """A task that has loaded its tables, and not begun."""
        loaded = tables.ensure(self.catalog)
        events, deleted = loaded[EVENTS], loaded[DELETED_IMAGES]
        return Windows(kind, loaded[WINDOWS[kind]], events=events, deleted=deleted, storage=self._storage)

    def landing(self, chunk: int) -> Landing:
        """The same for landing."""
        loaded = tables.ensure(self.catalog)
        return Landing(loaded[EVENTS], loaded[DELETED_IMAGES], self._storage, chunk)

    def run(self, log: MemoryLog, ends: Offsets, run: str, chunk: int = 1000) -> Landed:
        """A whole run."""
        done = self.land(log, ends, run, chunk)
        for kind in WINDOWS:
            self.write_windows(kind, ends, run)
        return done

    def rows(self, name: str) -> list[dict[str, object]]:
        """What a table holds now."""
        found: list[dict[str, object]] = self.catalog.load_table(name).scan().to_arrow().to_pylist()
        return found

    def counts(self, kind: str) -> dict[Count, int]:
        """The windows of a kind; none may be there twice."""
        rows = self.catalog.load_table(WINDOWS[kind]).scan().to_arrow().to_pylist()
        found = {(row["image_id"], microseconds(row["window_start"])): row["event_count"] for row in rows}
        assert len(found) == len(rows)
        return found

    def state(self, name: str, metadata_file: str) -> Table:
        """A table as one of its metadata files says that it was."""
        present = self.catalog.load_table(name)
        metadata = FromInputFile.table_metadata(present.io.new_input(metadata_file))
        return StaticTable(("", name), metadata, metadata_file, present.io, self.catalog)

    def snapshots(self) -> dict[str, int | None]:
        """The present snapshot of each table."""
        found = {name: self.catalog.load_table(name).current_snapshot() for name in HISTORY}
        return {name: snapshot.snapshot_id if snapshot else None for name, snapshot in found.items()}

    def close(self) -> None:
        self.catalog.close()
