"""What is kept of each model, as far as the history must know it: which images it has seen, and where it came from."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs

from gourmetgram.core.model_files import METADATA, SEEN
from gourmetgram.lakehouse import files
from gourmetgram.lakehouse.settings import LakehouseSettings


class ModelStore:
    """The folder of all models: one for each version, named by it."""

    def __init__(self, settings: LakehouseSettings, storage: pyarrow.fs.FileSystem) -> None:
        self._root = files.bucket_path(settings.models)
        self._storage = storage

    def versions(self) -> list[str]:
        """All versions of which there is metadata."""
        selector = pyarrow.fs.FileSelector(self._root, recursive=True, allow_not_found=True)
        found = (one.path for one in self._storage.get_file_info(selector) if one.base_name == METADATA)
        return sorted(path.split("/")[-2] for path in found)

    def metadata(self, version: str) -> dict[str, Any]:
        """What a version says about itself."""
        with self._storage.open_input_stream(f"{self._root}/{version}/{METADATA}") as file:
            said: dict[str, Any] = json.loads(file.read())
        return said

    def seen(self, version: str) -> pa.ChunkedArray | None:
        """The ids of all images that a version has seen; None where there is no list of them."""
        path = f"{self._root}/{version}/{SEEN}"
        if not files.is_there(self._storage, path):
            return None
        return pyarrow.dataset.dataset(path, filesystem=self._storage, format="parquet").to_table()["image_id"]

    def that_saw(self, images: pa.Array) -> dict[str, int | None]:
        """The versions that have seen any of these images, and how many of them; None where there is no list."""
        counts = {version: self._count(version, images) for version in self.versions()} if len(images) else {}
        return {version: count for version, count in counts.items() if count != 0}

    def _count(self, version: str, images: pa.Array) -> int | None:
        seen = self.seen(version)
        return None if seen is None else len(pc.unique(seen.filter(pc.is_in(seen, images))))
