"""Scrapes, and how fast counters move between them."""

import pytest

from gourmetgram.api.live.figures import Page, Rates, increases

TEXT = """# TYPE scorer_decisions counter
scorer_decisions_total{trigger="upload",recommendation="SAFE"} 7.0
scorer_decisions_total{trigger="upload",recommendation="FLAG"} 1.0
scorer_decisions_total{trigger="viral",recommendation="FLAG"} 2.0
# TYPE scorer_lag gauge
scorer_lag 3.0
"""


def test_a_page_is_read_by_name_and_by_label() -> None:
    page = Page.parse(TEXT)
    assert page.value("scorer_lag") == 3
    assert page.value("something_else") is None
    assert page.by_label("scorer_decisions_total", "trigger") == {"upload": 8, "viral": 2}
    assert page.by("scorer_decisions_total", "trigger", "recommendation")["upload", "FLAG"] == 1
    assert page.by_label("something_else", "trigger") == {}


def test_what_is_no_page_is_refused() -> None:
    with pytest.raises(ValueError, match=r".*"):
        Page.parse("<html>not for you</html>")


def test_a_counter_that_is_new_started_at_0_and_one_that_fell_starts_again() -> None:
    assert increases({"a": 5, "b": 9}, {"a": 8, "b": 2, "c": 4}) == {"a": 3, "b": 2, "c": 4}


def test_no_rate_without_two_scrapes() -> None:
    rates = Rates()
    assert rates.per_second() is None
    rates.saw({"a": 100}, 10)
    assert rates.per_second() is None
    rates.saw({"a": 100}, 11)
    assert rates.per_second() == {"a": 0}


def test_a_rate_uses_the_time_that_really_passed() -> None:
    rates = Rates()
    rates.saw({"a": 100}, 10)
    rates.saw({"a": 106}, 12.5)
    assert rates.per_second() == {"a": 2.4}


def test_a_rate_forgets_what_is_older_than_its_window() -> None:
    rates = Rates(window=5)
    for second in range(30):
        rates.saw({"a": 1000 if second >= 10 else 0}, second)
        expected = 200 if 10 <= second < 15 else 0  # all 1000 moved between 9 and 10
        assert rates.per_second() in (None, {"a": pytest.approx(expected)})


def test_a_restarted_counter_moves_by_what_it_counted_since() -> None:
    rates = Rates()
    for at, value in enumerate([1000, 1010, 4, 14]):  # 10, then a restart and 4, then 10
        rates.saw({"a": value}, at)
    assert rates.per_second() == {"a": 8}


def test_a_clock_that_is_set_back_starts_again() -> None:
    rates = Rates()
    rates.saw({"a": 1}, 10)
    rates.saw({"a": 5}, 3)
    assert rates.per_second() is None


def test_a_gap_longer_than_the_window_is_averaged_over() -> None:
    rates = Rates(window=5)
    rates.saw({"a": 0}, 0)
    rates.saw({"a": 1}, 1)
    rates.saw({"a": 101}, 101)
    assert rates.per_second() == {"a": 1}


def test_nothing_is_compared_with_what_was_before_a_service_went_away() -> None:
    rates = Rates()
    rates.saw({"a": 1}, 1)
    rates.forget()
    rates.saw({"a": 500}, 2)
    assert rates.per_second() is None
