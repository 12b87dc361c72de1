"""Which images are learned from, which calibrate, and which measure: by the time of their upload.

An image's label looks a day ahead (LABEL_HORIZON). So a day is left out between the parts: when the first image of a
part is uploaded, all labels of the part before are known, as they would be for a model that is trained at that moment.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gourmetgram.core.features import Integers
from gourmetgram.core.windows import HOUR, LABEL_HORIZON
from gourmetgram.training.errors import NotEnough

GAP: Final = LABEL_HORIZON


class Part(IntEnum):
    """What an image is for."""

    LEFT_OUT = -1
    TRAINING = 0
    CALIBRATION = 1
    HOLDOUT = 2


class Split(NamedTuple):
    """The borders, as times of upload in unix microseconds; each part is from its beginning up to before its end."""

    training_from: int
    training_until: int
    calibration_from: int
    calibration_until: int
    holdout_from: int
    holdout_until: int

    def part_of(self, uploaded_at: Integers) -> npt.NDArray[np.int8]:
        """The part of each image, as a number of `Part`; it depends on its upload only, so anchors stay together."""
        # Borders and parts alternate: before all, training, gap, calibration, gap, holdout, after all.
        between = np.array([-1, Part.TRAINING, -1, Part.CALIBRATION, -1, Part.HOLDOUT, -1], np.int8)
        return between[np.searchsorted(self, uploaded_at, side="right")]


def split(first: int, last: int, training_share: float, calibration_share: float) -> Split:
    """Borders for images uploaded from `first` to `last` (unix microseconds, both included).

    The shares are of the time that is left after the two gaps; the rest of it is the holdout.

    Raises:
        NotEnough: the time is too short.
        ValueError: the shares leave no holdout.
    """
    if training_share + calibration_share >= 1:
        raise ValueError(f"expected shares that leave a holdout, got {training_share} and {calibration_share}")
    usable = last + 1 - first - 2 * GAP
    if usable < HOUR:
        hours = (last - first) / HOUR
        raise NotEnough(
            f"expected labelled images from more than {2 * GAP // HOUR + 1} hours, got {hours:.1f} hours: a day is "
            "left out before the calibration and another one before the holdout"
        )
    training_until = first + round(usable * training_share)
    calibration_from = training_until + GAP
    calibration_until = calibration_from + round(usable * calibration_share)
    return Split(first, training_until, calibration_from, calibration_until, calibration_until + GAP, last + 1)
