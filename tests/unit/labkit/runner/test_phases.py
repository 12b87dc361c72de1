import sys
from pathlib import Path

import pytest

from labkit.runner.phases import Counts, Phase, count, perform

JUNIT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><error/></testcase>
<testcase name="d"><skipped/></testcase><testcase name="e"/>
</testsuite></testsuites>"""


@pytest.fixture(name="junit")
def junit_file(tmp_path: Path) -> Path:
    return tmp_path / "results.xml"


def test_cases_are_counted_by_outcome(junit: Path) -> None:
    junit.write_text(JUNIT)
    assert count(junit, 1) == Counts(passed=2, failed=2, skipped=1)


@pytest.mark.parametrize(
    ("cases", "code", "failed"),
    [
        ('<testcase name="a"/>', 0, 0),
        ('<testcase name="a"/>', 3, 1),  # pytest broke after the tests
        ("", 5, 1),  # no tests were found
        ("", 0, 1),
        ('<testcase name="a"><skipped/></testcase>', 0, 1),
    ],
)
def test_a_phase_that_shows_nothing_has_failed(junit: Path, cases: str, code: int, failed: int) -> None:
    junit.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert count(junit, code).failed == failed


def test_a_phase_that_dies_before_it_writes_has_failed(junit: Path) -> None:
    assert count(junit, -9) == Counts(failed=1)


@pytest.mark.parametrize("code", [0, 3])
def test_a_phase_without_cases_counts_as_one(code: int) -> None:
    lines: list[str] = []
    outcome = perform(Phase("style", (sys.executable, "-c", f"raise SystemExit({code})")), lines.append)
    assert outcome.counts == (Counts(failed=1) if code else Counts(passed=1))
    assert outcome.ok == (code == 0)
    assert any(line.startswith("style: ") for line in lines)


def test_results_of_an_earlier_run_do_not_count(junit: Path) -> None:
    junit.write_text(JUNIT)
    phase = Phase("layer", (sys.executable, "-c", "raise SystemExit(1)"), junit)
    assert perform(phase, print).counts == Counts(failed=1)
