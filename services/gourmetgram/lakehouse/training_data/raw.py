"""Raw snapshots: the application's tables as they were at one instant, as Parquet in the object storage.

They are taken by extract.py. What has them only to keep, clean or read them needs no PostgreSQL.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import pyarrow.fs

from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.settings import LakehouseSettings

IMAGE_COLUMNS: Final = {
    "images": "id",
    "comments": "image_id",
    "flags": "image_id",
    "image_milestones": "image_id",
    "reviews": "image_id",
}
"""Where the id of an image stands. A snapshot has the tables of its time: there were fewer once."""

OF_THE_IMAGE: Final = ("id", "source", "caption_length", "category")
"""Columns of `images` that are empty where the image was deleted: what is left says that a user had posted one."""

MANIFEST: Final = "_taken.json"
"""Written last: a folder without it is not finished."""

STAGED: Final = "features"
"""The folder within a snapshot where rows of training data lie from their computation to their loading."""


@dataclass(frozen=True)
class Taken:
    """A finished snapshot: where it is, what it holds, and which deletions it knows."""

    run_id: str
    folder: str
    taken_at: str
    oldest_unpublished: str | None
    rows: Mapping[str, int]
    deletions: int
    """Number of the commit of the table of deleted images up to which its images have been taken out."""

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """What a manifest says."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """The manifest."""
        return json.dumps(asdict(self), indent=1)


def folder_of(root: str, run_id: str, day: datetime) -> str:
    """Where the snapshot of a run lies; a retry on another day has a folder of its own."""
    return f"{root}/dt={day.astimezone(UTC):%Y-%m-%d}/run_id={re.sub('[^A-Za-z0-9._-]', '_', run_id)}"


def root_of(settings: LakehouseSettings) -> str:
    """Bucket and key of the folder of all snapshots."""
    return files.bucket_path(settings.raw_snapshots)


def write_manifest(storage: pyarrow.fs.FileSystem, taken: Taken) -> None:
    """Say that a snapshot is finished, and what it is."""
    with storage.open_output_stream(f"{taken.folder}/{MANIFEST}") as file:
        file.write(taken.text().encode())


def finished(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem) -> list[Taken]:
    """All finished snapshots, the oldest first."""
    selector = pyarrow.fs.FileSelector(root_of(settings), recursive=True, allow_not_found=True)
    manifests = [one.path for one in storage.get_file_info(selector) if one.base_name == MANIFEST]
    return sorted((_read_manifest(storage, path) for path in manifests), key=lambda taken: taken.taken_at)


def expire(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem, now: datetime) -> dict[str, int]:
    """Delete snapshots that were taken too long ago, and what runs have left that were never finished."""
    too_old = now - timedelta(hours=settings.keep_raw_hours)
    left_over = now - timedelta(hours=settings.orphan_grace_hours)
    snapshots, unfinished = [], []
    for folder, inside in _by_folder(settings, storage).items():
        staged = [one for one in inside if one.path.startswith(f"{folder}/{STAGED}/")]
        is_finished = any(one.base_name == MANIFEST for one in inside)
        if _began(inside) <= too_old:
            snapshots.append(folder)
        elif not is_finished and _began(inside) <= left_over:
            unfinished.append(folder)
        elif staged and _began(staged) <= left_over:
            unfinished.append(f"{folder}/{STAGED}")
    for folder in (*snapshots, *unfinished):
        storage.delete_dir(folder)
    return {"snapshots": len(snapshots), "unfinished": len(unfinished)}


def _by_folder(settings: LakehouseSettings, storage: pyarrow.fs.FileSystem) -> dict[str, list[pyarrow.fs.FileInfo]]:
    """The files of each snapshot, finished or not."""
    selector = pyarrow.fs.FileSelector(root_of(settings), recursive=True, allow_not_found=True)
    found: dict[str, list[pyarrow.fs.FileInfo]] = {}
    for one in storage.get_file_info(selector):
        if one.type == pyarrow.fs.FileType.File:
            found.setdefault(re.sub("(/run_id=[^/]+)/.*", r"\1", one.path), []).append(one)
    return found


def _began(inside: list[pyarrow.fs.FileInfo]) -> datetime:
    first: datetime = min(one.mtime for one in inside)
    return first


def path_of(folder: str, table: str) -> str:
    """The file of a table in the folder of a snapshot."""
    return f"{folder}/{table}.parquet"


def _read_manifest(storage: pyarrow.fs.FileSystem, path: str) -> Taken:
    with storage.open_input_stream(path) as file:
        return Taken.parse(file.read())
