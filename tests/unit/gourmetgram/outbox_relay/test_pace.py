from hypothesis import given
from hypothesis import strategies as st

from gourmetgram.core.backoff import Backoff
from gourmetgram.outbox_relay.pace import Pace


def test_waits_double_up_to_the_longest_and_start_again_after_a_success() -> None:
    backoff = Backoff(first=0.1, longest=2.0)
    assert [round(backoff.after_failure(chance=1.0), 3) for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    backoff.reset()
    assert backoff.after_failure(chance=1.0) == 0.1


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_zero_nor_too_long_however_many_failures(failures: int, chance: float) -> None:
    assert 0.05 <= Backoff(0.1, 2.0, failures).after_failure(chance) <= 2.0


@given(st.integers(1, 499), st.floats(0, 60))
def test_the_relay_rests_no_longer_than_it_worked(rows: int, seconds: float) -> None:
    rest = Pace(batch_limit=500, longest_rest=0.02).rest_after(rows, seconds)
    assert 0 <= rest <= min(seconds, 0.02)
    assert rest > 0 or seconds == 0


def test_a_full_batch_means_more_is_waiting() -> None:
    assert Pace(batch_limit=500, longest_rest=0.02).rest_after(500, 0.01) == 0
