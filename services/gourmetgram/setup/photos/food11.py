"""What the names in the Food-11 archive mean, and a photo made ready for the lab."""

import io
import re
from pathlib import Path, PurePosixPath

from PIL import Image, ImageOps

from gourmetgram.core.categories import CATEGORIES

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LONGEST_SIDE = 640
QUALITY = 85
NUMBERED = re.compile(r"(\d{1,2})_\d+$")
"""`training/3_127.jpg`: class 3. The archive numbers its classes in the order of CATEGORIES."""
BY_NAME = {name.lower(): name for name in CATEGORIES} | {
    "dairy product": "Dairy", "dairy products": "Dairy", "fried food": "Fried", "noodles-pasta": "Noodles",
    "noodles/pasta": "Noodles", "vegetable-fruit": "Veggie", "vegetable/fruit": "Veggie", "vegetables": "Veggie",
}  # fmt: skip


def class_of(name: PurePosixPath) -> str | None:
    """The class of a file in the archive, by its folder's name or its own number; None if neither says."""
    for folder in reversed(name.parts[:-1]):
        if found := BY_NAME.get(folder.lower().replace("_", " ")):
            return found
    numbered = NUMBERED.match(name.stem)
    if numbered and int(numbered[1]) < len(CATEGORIES):
        return CATEGORIES[int(numbered[1])]
    return None


def make_ready(path: Path) -> bytes | None:
    """The photo as a JPEG of at most 640 pixels a side, upright and without EXIF; None if it cannot be decoded."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # A fresh image carries pixels only: no EXIF, no comment, no profile.
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
