import sys
from pathlib import Path

import pytest

from labkit.runner.phases import Counts, Phase, count, perform

PASSED, FAILED = '<testcase name="a"/>', '<testcase name="b"><failure/></testcase>'
ERROR, SKIPPED = '<testcase name="c"><error/></testcase>', '<testcase name="d"><skipped/></testcase>'


@pytest.mark.parametrize(
    ("cases", "code", "expected"),
    [
        ([PASSED, PASSED], 0, Counts(2, 0, 0)),
        ([PASSED, FAILED, ERROR, SKIPPED], 1, Counts(1, 2, 1)),
        ([], 5, Counts(0, 1, 0)),
        ([SKIPPED], 0, Counts(0, 0, 1)),  # each says why
        ([PASSED], 3, Counts(1, 1, 0)),  # pytest itself broke
    ],
)
def test_counting(tmp_path: Path, cases: list[str], code: int, expected: Counts) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    assert count(junit, code) == expected


def test_a_layer_that_wrote_nothing_failed(tmp_path: Path) -> None:
    assert count(tmp_path / "none.xml", 4) == Counts(failed=1)


def test_the_last_line() -> None:
    assert str(Counts(3, 1)) == "3 passed, 1 failed"
    assert str(Counts(3) + Counts(1, 0, 2)) == "4 passed, 0 failed, 2 skipped"


@pytest.mark.parametrize("code", [0, 7])
def test_a_command_is_one_case(code: int) -> None:
    said: list[str] = []
    outcome = perform(Phase("exit", (sys.executable, "-c", f"raise SystemExit({code})")), said.append)
    assert outcome.ok is (code == 0)
    assert str(outcome.counts) in said[-1]
