"""One-shot service extract-data: unpacks the Food-11 archive if there is one, and says so if there is none."""

import sys

from gourmetgram.setup.photos import archive, library
from gourmetgram.setup.photos.settings import PhotoSettings


def extract(settings: PhotoSettings) -> str:
    """Unpack the archive that the settings name, at most once; what was done, in one sentence.

    Raises:
        BadArchive: it cannot be fetched or unpacked.
    """
    folder = settings.photos_dir / archive.ARCHIVE
    marker = folder / "unpacked.json"
    here = (folder / "unpacked").is_dir() or library.complete_source(settings.photos_dir) == library.FOOD11
    if not here:
        marker.unlink(missing_ok=True)  # whatever was unpacked once is gone
    if settings.food11_zip is not None and archive.is_given(settings.food11_zip):
        count = archive.unpack(settings.food11_zip, folder)
    elif settings.food11_url is None:
        return "no Food-11 archive given (FOOD11_ZIP, FOOD11_URL): photos will be drawn"
    elif marker.exists():
        return "the photos of the Food-11 archive are there already"
    else:
        fetched = folder / "archive.zip"
        archive.fetch(settings.food11_url, fetched, size=settings.food11_size, sha256=settings.food11_sha256)
        count = archive.unpack(fetched, folder)
        fetched.unlink()
    return f"{count:,} photos of the Food-11 archive are unpacked"


def main() -> int:
    """Run; 1 if the archive is not usable."""
    try:
        print(extract(PhotoSettings()))
    except archive.BadArchive as error:
        print(f"extract-data: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
