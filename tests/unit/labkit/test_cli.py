import os
import subprocess
import sys

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


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["run", "--place", "moon"], {}, "there is no such place"),
        (["ps"], {"LAB_PORT_OFFSET": "abc"}, "expected a number such as 100 in LAB_PORT_OFFSET"),
        (["ps"], {"LAB_PLACE": "moon"}, "There is no place moon"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(arguments: list[str], variables: dict[str, str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labkit", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert "Traceback" not in done.stderr
