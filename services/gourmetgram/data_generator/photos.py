"""The photos people upload: files of the prepared folder, as they are or small enough for an import."""

import io
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image

IMPORT_PIXELS = 320
IMPORT_QUALITY = 72
SMALL_PHOTOS_KEPT = 512


class NoPhotos(RuntimeError):
    """The photo folder is not prepared."""


class PhotoShelf:
    """Photos by class. A post names its photo by a large number; the shelf maps it to one of its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.small = lru_cache(SMALL_PHOTOS_KEPT)(shrink)
        self.files = cache(self._files)

    def _files(self, category: str) -> list[Path]:
        files = sorted((self.folder / category).glob("*.jpg"))
        if not files:
            raise NoPhotos(f"expected photos in {self.folder / category}, found none; run the service transform-data")
        return files

    def path(self, category: str, number: int) -> Path:
        """The file of photo `number` of a class.

        Raises:
            NoPhotos: there is none of this class.
        """
        files = self.files(category)
        return files[number % len(files)]


def shrink(path: Path) -> bytes:
    """The photo as a JPEG of at most 320 pixels a side, some 10 to 20 kB."""
    with Image.open(path) as image:
        image.draft("RGB", (IMPORT_PIXELS, IMPORT_PIXELS))
        image.thumbnail((IMPORT_PIXELS, IMPORT_PIXELS))
        out = io.BytesIO()
        image.convert("RGB").save(out, "JPEG", quality=IMPORT_QUALITY)
    return out.getvalue()
