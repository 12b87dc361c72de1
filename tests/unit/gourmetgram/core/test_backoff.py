import pytest
from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.backoff import Backoff


def test_waits_double_up_to_the_longest_and_begin_again_after_success() -> None:
    backoff = Backoff(0.1, 2)
    assert [backoff.after_failure(0) for _ in range(7)] == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1, 1])
    backoff.reset()
    assert backoff.after_failure(0) == pytest.approx(0.05)


@given(st.integers(0, 5000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_the_longest_nor_shorter_than_half_the_first(failures: int, chance: float) -> None:
    assert 0.05 <= Backoff(0.1, 2, failures).after_failure(chance) <= 2


def test_two_processes_do_not_retry_in_step() -> None:
    assert Backoff(1, 8).after_failure(0.1) != Backoff(1, 8).after_failure(0.9)
