"""The rows of the training data by what they are for: which are fitted, which calibrate, which measure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gourmetgram.core.features import Integers, Numbers
from gourmetgram.training.arrays import UNKNOWN, Columns, Labels, Mask
from gourmetgram.training.errors import NotEnough
from gourmetgram.training.fit import Rows
from gourmetgram.training.reader import LABEL, Rereadable
from gourmetgram.training.split import Part, Split, split

UPLOADED: Final = "split_time"
FLAGGED: Final = "already_flagged"
IMAGE: Final = "image_id"
ANCHOR: Final = "anchor_minutes"
COUNTRY: Final = "country"

Roles = npt.NDArray[np.int8]


class Role(IntEnum):
    """What becomes of a row: exactly one of these. From TRAINING on, the model has seen it."""

    UNLABELLED = 0
    BETWEEN_PARTS = 1
    ALREADY_FLAGGED = 2
    TRAINING = 3
    CALIBRATION = 4
    HOLDOUT = 5


def roles(labels: Labels, parts: npt.NDArray[np.int8], flagged: Mask) -> Roles:
    """The role of each row. In the holdout those that had a flag stay, to be told apart."""
    chosen = np.select(
        [labels == UNKNOWN, parts == Part.LEFT_OUT, flagged & (parts != Part.HOLDOUT)],
        [Role.UNLABELLED, Role.BETWEEN_PARTS, Role.ALREADY_FLAGGED],
        parts + Role.TRAINING,
    )
    return chosen.astype(np.int8)


@dataclass(frozen=True)
class Facts(Columns):
    """What is known of rows beside their features, one element each."""

    label: Labels
    role: Roles
    image: Integers
    anchor: npt.NDArray[np.int32]
    country: npt.NDArray[np.str_]
    flagged: Mask


def settle(reader: Rereadable, training_share: float, calibration_share: float) -> Split:
    """The split of the rows whose label is known.

    Raises:
        NotEnough: there are none, or they are from too short a time.
    """
    first, last = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    for batch in reader.columns((UPLOADED, LABEL)):
        times = _times(batch[UPLOADED].filter(batch[LABEL].is_valid()))
        if len(times):
            first, last = min(first, int(times.min())), max(last, int(times.max()))
    if first > last:
        raise NotEnough("expected images that are a day old, got none: no label is known yet")
    return split(first, last, training_share, calibration_share)


def to_fit(reader: Rereadable, borders: Split) -> Iterator[Rows]:
    """One pass over the rows to learn from."""
    for features, labels, extra in reader.batches((UPLOADED, FLAGGED)):
        chosen = roles(labels, borders.part_of(_times(extra[UPLOADED])), _mask(extra[FLAGGED])) == Role.TRAINING
        yield Rows(features[chosen], labels[chosen])


def to_look_at(reader: Rereadable, borders: Split) -> Iterator[tuple[Numbers, Facts]]:
    """One pass over all rows, with what is known of them."""
    for features, labels, extra in reader.batches((UPLOADED, FLAGGED, IMAGE, ANCHOR, COUNTRY)):
        flagged = _mask(extra[FLAGGED])
        yield (
            features,
            Facts(
                labels,
                roles(labels, borders.part_of(_times(extra[UPLOADED])), flagged),
                extra[IMAGE].to_numpy(),
                extra[ANCHOR].to_numpy(),
                extra[COUNTRY].to_numpy(zero_copy_only=False).astype(np.str_),
                flagged,
            ),
        )


def _times(column: Any) -> Integers:
    """Unix microseconds."""
    times: Integers = column.cast(pa.int64()).to_numpy()
    return times


def _mask(column: Any) -> Mask:
    mask: Mask = column.to_numpy(zero_copy_only=False)
    return mask
