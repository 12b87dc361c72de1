"""Photos for a lab without the Food-11 archive: drawn, a dozen for each class, the same for the same seed."""

import io
from collections.abc import Callable
from zlib import crc32

import numpy as np

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.setup.photos import dishes_baked, dishes_cooked
from gourmetgram.setup.photos.brush import Scene

PER_CLASS = 12
QUALITY = 82
SEED = 42

DISHES: dict[str, Callable[[Scene], None]] = {
    "Bread": dishes_baked.bread,
    "Dairy": dishes_baked.dairy,
    "Dessert": dishes_baked.dessert,
    "Egg": dishes_baked.egg,
    "Fried": dishes_baked.fried,
    "Meat": dishes_baked.meat,
    "Noodles": dishes_cooked.noodles,
    "Rice": dishes_cooked.rice,
    "Seafood": dishes_cooked.seafood,
    "Soup": dishes_cooked.soup,
    "Veggie": dishes_cooked.veggie,
}
assert set(DISHES) == set(CATEGORIES), "every class has its dish"  # noqa: S101


def draw_photo(category: str, number: int, seed: int = SEED) -> bytes:
    """Photo `number` of a class as a JPEG of 512 by 384 pixels, below 60 kB."""
    rng = np.random.default_rng([seed, crc32(category.encode()), number])
    scene = Scene(rng)
    DISHES[category](scene)
    out = io.BytesIO()
    scene.finish().save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
