import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.windows import DAY, HOUR
from gourmetgram.training.errors import NotEnough
from gourmetgram.training.split import Part, split

FIRST = 1_790_000_000_000_000

spans = st.integers(min_value=50 * HOUR, max_value=400 * DAY)
share_pairs = st.tuples(st.floats(0.1, 0.6), st.floats(0.1, 0.3))


def parts(times: list[int], last: int, shares: tuple[float, float] = (0.5, 0.2)) -> dict[int, list[int]]:
    """The upload times by part."""
    found = split(FIRST, last, *shares).part_of(np.array(times))
    return {part: [time for time, of in zip(times, found, strict=True) if of == part] for part in Part}


@given(spans, share_pairs, st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_more_than_a_day_lies_between_the_images_of_any_two_parts(
    span: int, shares: tuple[float, float], positions: list[float]
) -> None:
    times = [FIRST + round(position * span) for position in positions]
    by_part = parts(times, FIRST + span, shares)
    chosen = [by_part[part] for part in (Part.TRAINING, Part.CALIBRATION, Part.HOLDOUT)]
    for earlier, later in ((0, 1), (1, 2), (0, 2)):
        for one in chosen[earlier]:
            for other in chosen[later]:
                assert other - one > DAY


def test_each_border_is_where_it_says() -> None:
    last = FIRST + 12 * DAY - 1
    borders = split(FIRST, last, 0.5, 0.2)
    assert borders == (
        FIRST, FIRST + 5 * DAY, FIRST + 6 * DAY, FIRST + 8 * DAY, FIRST + 9 * DAY, FIRST + 12 * DAY,
    )  # fmt: skip
    times = [at + step for at in borders for step in (-1, 0)]
    assert borders.part_of(np.array(times)).tolist() == [-1, 0, 0, -1, -1, 1, 1, -1, -1, 2, 2, -1]


@given(spans)
def test_the_first_image_is_learned_from_and_the_last_one_measures(span: int) -> None:
    by_part = parts([FIRST, FIRST + span], FIRST + span)
    assert by_part[Part.TRAINING] == [FIRST]
    assert by_part[Part.HOLDOUT] == [FIRST + span]


def test_two_days_are_too_short_and_it_says_so() -> None:
    with pytest.raises(NotEnough, match=r"more than 49 hours, got 48\.0 hours"):
        split(FIRST, FIRST + 2 * DAY, 0.5, 0.2)


def test_shares_leave_a_holdout() -> None:
    with pytest.raises(ValueError, match="leave a holdout"):
        split(FIRST, FIRST + 9 * DAY, 0.8, 0.2)
