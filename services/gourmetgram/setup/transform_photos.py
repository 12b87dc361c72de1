"""One-shot service transform-data: fills the photo folder, from Food-11 or with drawings, and says which."""

import sys

from gourmetgram.setup.photos import library
from gourmetgram.setup.photos.archive import BadArchive
from gourmetgram.setup.photos.settings import PhotoSettings


def main() -> int:
    """Run; 1 if a class has no photo."""
    folder = PhotoSettings().photos_dir
    folder.mkdir(parents=True, exist_ok=True)
    try:
        counts = library.prepare(folder)
    except BadArchive as error:
        print(f"transform-data: {error}", file=sys.stderr)
        return 1
    source = library.complete_source(folder)
    print(f"{sum(counts.values()):,} photos of {len(counts)} classes ready in {folder}; source: {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
