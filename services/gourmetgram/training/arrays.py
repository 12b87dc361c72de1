"""Rows as arrays: what the parts of the training hand to each other."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int8]
"""1 for a row whose image was flagged after the row's instant, within a day of its upload; else 0, or UNKNOWN."""

UNKNOWN: Final = -1
"""In place of a label that nobody knows yet."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """Rows as columns: all fields are arrays of one length."""

    def only(self, chosen: Mask) -> Self:
        """Some of the rows."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """All rows of all parts, in their order."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))
