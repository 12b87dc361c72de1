"""The folder of all models in object storage."""

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet

from gourmetgram.core.features import Integers
from gourmetgram.lakehouse import files
from gourmetgram.training.settings import TrainingSettings


class ArrowFolder:
    """Models below a folder that Arrow can reach; see `artifacts.Folder`."""

    def __init__(self, storage: pyarrow.fs.FileSystem, root: str) -> None:
        self._storage = storage
        self._root = root

    @classmethod
    def of(cls, settings: TrainingSettings, storage: pyarrow.fs.FileSystem) -> "ArrowFolder":
        """The folder that the settings name."""
        return cls(storage, files.bucket_path(settings.models))

    def read(self, path: str) -> bytes:
        """The whole file; FileNotFoundError if there is none."""
        with self._storage.open_input_stream(f"{self._root}/{path}") as file:
            return bytes(file.read())

    def write(self, path: str, content: bytes) -> None:
        """One upload, which is there when it is complete."""
        with self._storage.open_output_stream(f"{self._root}/{path}") as file:
            file.write(content)


def image_ids(images: Integers) -> bytes:
    """The Parquet file of the images that a model has seen: one column, `image_id`."""
    written = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.table({"image_id": pa.array(images, pa.int64())}), written, compression="zstd")
    return bytes(written.getvalue())
