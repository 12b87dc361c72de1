"""Random streams that depend on the seed and a name only, never on what was drawn elsewhere."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UUID7_VERSION = 0x7000
UUID7_VARIANT = 0x8000000000000000


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """The generator that belongs to this name, the same in every process and on every machine."""
    digest = hashlib.sha256("/".join(map(str, (seed, *name))).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def shares(weights: Sequence[float]) -> Floats:
    """Weights as probabilities that add up to 1."""
    array = np.asarray(weights, dtype=np.float64)
    scaled: Floats = array / array.sum()
    return scaled


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One item, each equally likely."""
    return items[int(rng.integers(len(items)))]


def uuid7(seconds: float, noise: bytes) -> UUID:
    """A UUID version 7 (RFC 9562) of this unix time whose other 74 bits come from ten bytes of `noise`."""
    high = int(seconds * 1000) << 16 | UUID7_VERSION | int.from_bytes(noise[:2]) & 0x0FFF
    low = UUID7_VARIANT | int.from_bytes(noise[2:10]) & 0x3FFFFFFFFFFFFFFF
    return UUID(int=high << 64 | low)
