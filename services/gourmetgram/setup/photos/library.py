"""The photo folder: `<Class>/<number>.jpg` and `source.json`, which says where the photos come from."""

import json
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.setup.photos.archive import ARCHIVE, BadArchive
from gourmetgram.setup.photos.drawn import PER_CLASS, draw_photo
from gourmetgram.setup.photos.food11 import make_ready

Item = TypeVar("Item")

FOOD11, DRAWN = "Food-11", "drawn"
SOURCE = "source.json"
DRAFT = ".draft"
MOST_PROCESSES = 4
CHUNK = 16


def complete_source(folder: Path) -> str | None:
    """The source of a folder whose photos are all there, else None."""
    path = folder / SOURCE
    if not path.exists():
        return None
    told = json.loads(path.read_text())
    counts = {category: sum(1 for _ in (folder / category).glob("*.jpg")) for category in CATEGORIES}
    return str(told["source"]) if counts == told["counts"] else None


def prepare(folder: Path) -> dict[str, int]:
    """Fill the photo folder from the unpacked archive, or with drawings when there is none. Complete or untouched.

    Returns:
        The number of photos by class.

    Raises:
        BadArchive: the archive has no readable photo for one of the classes.
    """
    unpacked = folder / ARCHIVE / "unpacked"
    wanted = FOOD11 if unpacked.is_dir() else DRAWN
    found = complete_source(folder)
    if found is not None and (found == FOOD11 or wanted == DRAWN) and not unpacked.is_dir():
        return counts_of(folder)
    draft = folder / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    counts = sort_photos(unpacked, draft) if wanted == FOOD11 else draw_photos(draft)
    if missing := [category for category in CATEGORIES if not counts[category]]:
        raise BadArchive(f"the archive has no readable photo of {', '.join(missing)}; expected all 11 classes")
    publish(folder, draft, wanted, counts)
    shutil.rmtree(unpacked, ignore_errors=True)
    return counts


def counts_of(folder: Path) -> dict[str, int]:
    """The counts that `source.json` tells."""
    counts: dict[str, int] = json.loads((folder / SOURCE).read_text())["counts"]
    return counts


def publish(folder: Path, draft: Path, source: str, counts: dict[str, int]) -> None:
    """Swap the finished photos in. `source.json` goes first and comes last: without it the folder is not complete."""
    (folder / SOURCE).unlink(missing_ok=True)
    for category in CATEGORIES:
        shutil.rmtree(folder / category, ignore_errors=True)
        (draft / category).replace(folder / category)
    shutil.rmtree(draft)
    written = folder / (SOURCE + DRAFT)
    written.write_text(json.dumps({"source": source, "counts": counts}, indent=2) + "\n")
    written.replace(folder / SOURCE)


def sort_photos(unpacked: Path, draft: Path) -> dict[str, int]:
    """Make the unpacked photos ready and put each into the folder of its class. Unreadable ones are left out."""
    files = sorted(unpacked.iterdir())
    return store(draft, [file.name.split("-")[0] for file in files], make_ready, files)


def draw_photos(draft: Path) -> dict[str, int]:
    """Draw a dozen photos for each class."""
    wanted = [(category, number) for category in CATEGORIES for number in range(PER_CLASS)]
    return store(draft, [category for category, _ in wanted], draw_one, wanted)


def draw_one(wanted: tuple[str, int]) -> bytes:
    """Draw the photo with this class and number."""
    return draw_photo(*wanted)


def store(
    draft: Path, categories: list[str], make: Callable[[Item], bytes | None], items: list[Item]
) -> dict[str, int]:
    """Make a photo of each item, on several processors, and write it to the folder of its class."""
    counts: Counter[str] = Counter()
    for category in CATEGORIES:
        (draft / category).mkdir(parents=True)
    for name, photo in zip(categories, in_parallel(make, items), strict=True):
        if photo is not None:
            counts[name] += 1
            (draft / name / f"{counts[name]:05}.jpg").write_bytes(photo)
    return {category: counts[category] for category in CATEGORIES}


def in_parallel(make: Callable[[Item], bytes | None], items: list[Item]) -> Iterator[bytes | None]:
    """The results in the order of the items."""
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(make, items, chunksize=CHUNK)
