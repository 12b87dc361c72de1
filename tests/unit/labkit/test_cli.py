import pytest

from labkit.cli import new_lines


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ([], ["a"], ["a"]),
        (["a"], ["a"], []),
        (["a", "b"], ["a", "b", "c"], ["c"]),
        (["a", "b", "c"], ["b", "c", "d"], ["d"]),  # the window moved on
        (["a", "a"], ["a", "a", "a"], ["a"]),
        (["a", "b"], ["x", "y"], ["x", "y"]),  # the log was rotated
        (["a", "b"], [], []),
    ],
)
def test_a_followed_log_prints_each_line_once(before: list[str], now: list[str], new: list[str]) -> None:
    assert new_lines(before, now) == new
