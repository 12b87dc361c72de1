"""Where an image's id still stands: every object of the tables, the raw snapshots and the models is opened and read.

This is how an erasure is proved, so it does not ask what a table names: a file that nobody names any more is found too.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final, Literal, NamedTuple

import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
from pyiceberg.avro.file import AvroFile
from pyiceberg.conversions import from_bytes
from pyiceberg.io import FileIO
from pyiceberg.manifest import DEFAULT_READ_VERSION, DataFile, ManifestFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import NestedField, PrimitiveType

from gourmetgram.core.model_files import SEEN
from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.settings import LakehouseSettings
from gourmetgram.lakehouse.tables import DELETED_IMAGES
from gourmetgram.lakehouse.training_data import raw

Kind = Literal["tombstone", "model", "left", "unread"]
"""The record of a deletion; the list of what a model has seen; any other place; an object that could not be read."""

RECORDS: Final = ("tombstone", "model")
"""What stays when all is gone: that the image was deleted, and by which models it had been seen, both as a bare id."""

COLUMN: Final = "image_id"
NAMES: Final = (COLUMN, f"{COLUMN}s")
"""Under which ids stand in a JSON document; a name such as `images` counts them."""

NUMBERS: Final = (".joblib",)
"""Fitted numbers of a model, which hold no ids; what the model has seen is listed beside it."""


class Found(NamedTuple):
    """An object that holds the id in so many rows (or entries), or one that could not be read."""

    path: str
    what: str
    rows: int
    kind: Kind


class Place(NamedTuple):
    """What the objects below a folder are."""

    folder: str
    what: str
    present: frozenset[str] | None
    """Data files of the table's present snapshot; None where it is no table."""


def find_image(settings: LakehouseSettings, image_id: int) -> list[Found]:
    """All objects in which the id of this image stands, and all that could not be read, by path.

    Objects that vanish while they are looked through count as not there.
    """
    storage = open_storage(settings)
    with closing(open_catalog(settings)) as catalog:
        present = tables.ensure(catalog)
    places = [*map(_of_table, present.items()), *_folders(settings)]
    look = _Look(storage, present[DELETED_IMAGES].io, image_id)
    found = (_found(look, path, _place(places, path)) for path in _objects(settings, storage))
    return sorted(one for one in found if one)


def gone(found: Iterable[Found]) -> bool:
    """Whether nothing but records of the deletion is left, and everything could be read."""
    return all(one.kind in RECORDS for one in found)


def told(found: Iterable[Found]) -> Iterator[str]:
    """The findings in lines, for people, each with its path."""
    for one in found:
        yield f"{one.kind:9}  {one.rows:>6}  {one.path}  ({one.what})"


def summed_up(found: Iterable[Found]) -> Iterator[str]:
    """The findings in fewer lines: how many objects of each sort, and how many rows in them."""
    by_sort: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        by_sort.setdefault((one.kind, one.what), []).append(one)
    for (kind, what), some in sorted(by_sort.items()):
        yield f"{kind:9}  {len(some):>3} files {sum(one.rows for one in some):>5} rows  {what}"


class _Look:
    """Counts in how many rows or entries of an object the id stands, by what the object is."""

    def __init__(self, storage: pyarrow.fs.FileSystem, io: FileIO, image_id: int) -> None:
        self._storage = storage
        self._io = io
        self._image_id = image_id

    def rows(self, path: str) -> int:
        """Rows of a Parquet file; in a copy of the application's table of images their id is called `id`."""
        content = pyarrow.dataset.dataset(path, filesystem=self._storage, format="parquet")
        column = raw.IMAGE_COLUMNS.get(path.rpartition("/")[2].removesuffix(".parquet"), COLUMN)
        if column not in content.schema.names:
            return 0
        return int(content.count_rows(filter=pc.field(column) == self._image_id))

    def entries(self, path: str) -> int:
        """Entries of a manifest in which it is the least or the greatest id of a file; a list of manifests has none."""
        with AvroFile[Any](self._io.new_input(f"s3://{path}")) as file:
            header: Mapping[str, str] = file.header.meta
            if "schema" not in header:
                deque(file, maxlen=0)  # to its end, so that damage is noticed
                return 0
        fields = [one for one in Schema.model_validate_json(header["schema"]).fields if one.name == COLUMN]
        manifest = ManifestFile.from_args(
            DEFAULT_READ_VERSION, manifest_path=f"s3://{path}", partition_spec_id=0, sequence_number=0
        )
        entries = manifest.fetch_manifest_entry(self._io, discard_deleted=False)
        return sum(self._image_id in _bounds(entry.data_file, fields) for entry in entries)

    def values(self, path: str) -> int:
        """Values of a JSON document that stand under the name of the column; JSON within its texts is read, too."""
        with self._storage.open_input_stream(path) as file:
            return list(_ids(json.loads(file.read()), named=False)).count(self._image_id)


def _found(look: _Look, path: str, place: Place) -> Found | None:
    what = _what(path, place)
    try:
        rows = _count(look, path)
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever a damaged object makes its reader raise: it is reported, and is no proof
        return Found(path, f"{what}; it could not be read: {type(error).__name__}: {error}", 0, "unread")
    return Found(path, what, rows, _kind(path, place)) if rows else None


def _count(look: _Look, path: str) -> int:
    if path.endswith(".parquet"):
        return look.rows(path)
    if path.endswith(".avro"):
        return look.entries(path)
    if path.endswith(".json"):
        return look.values(path)
    if path.endswith(NUMBERS):
        return 0
    raise ValueError("nobody knows how to look into it")


def _bounds(file: DataFile, fields: Iterable[NestedField]) -> set[Any]:
    found = set()
    for one in fields:
        for bounds in (file.lower_bounds, file.upper_bounds):
            if bounds and one.field_id in bounds and isinstance(one.field_type, PrimitiveType):
                found.add(from_bytes(one.field_type, bounds[one.field_id]))
    return found


def _ids(document: Any, *, named: bool) -> Iterator[int]:
    """The numbers under these names, however deep, also where they are written as text."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _ids(value, named=named or name in NAMES)
    elif isinstance(document, list):
        for value in document:
            yield from _ids(value, named=named)
    elif isinstance(document, str) and document[:1] in ("{", "["):
        yield from _ids(_parsed(document), named=named)
    elif named and str(document).isdecimal():
        yield int(document)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _of_table(named: tuple[str, Table]) -> Place:
    name, table = named
    return Place(files.bucket_path(table.location()), name, frozenset(one.path for one in files.live(table)))


def _folders(settings: LakehouseSettings) -> list[Place]:
    """In this order they are asked after the tables, which lie in the warehouse."""
    return [
        Place(raw.root_of(settings), "raw snapshots", None),
        Place(files.bucket_path(settings.models), "models", None),
        Place(files.bucket_path(settings.warehouse), "the warehouse", None),
    ]


def _objects(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem) -> Iterator[str]:
    seen: set[str] = set()
    for folder in (one.folder for one in _folders(settings)):
        selector = pyarrow.fs.FileSelector(folder, recursive=True, allow_not_found=True)
        for one in storage.get_file_info(selector):
            if one.type == pyarrow.fs.FileType.File and one.path not in seen:
                seen.add(one.path)
                yield one.path


def _place(places: Iterable[Place], path: str) -> Place:
    return next(place for place in places if path.startswith(f"{place.folder}/"))


def _kind(path: str, place: Place) -> Kind:
    if place.what == DELETED_IMAGES:
        return "tombstone"
    return "model" if place.what == "models" and path.endswith(f"/{SEEN}") else "left"


def _what(path: str, place: Place) -> str:
    if place.present is None:
        return f"one of the {place.what}" if place.what != "the warehouse" else "no table's, in the warehouse"
    if path.endswith(".parquet"):
        state = "the present snapshot" if path in place.present else "an earlier snapshot, or of none"
        return f"data file of {place.what}, of {state}"
    return f"metadata of {place.what}"
