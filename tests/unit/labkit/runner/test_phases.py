import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.runner.performing import perform_all
from labkit.runner.phases import RESULTS, Counts, Phase, count

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


def phase(name: str, program: str, **more: Any) -> Phase:
    return Phase(name, (sys.executable, "-c", program), **more)


@pytest.mark.parametrize("code", [0, 7])
def test_a_command_is_one_case(code: int) -> None:
    said: list[str] = []
    (outcome,) = perform_all([phase("exit", f"raise SystemExit({code})")], said.append)
    assert outcome.ok is (code == 0)
    assert str(outcome.counts) in said[-1]


WORKERS = "import os; print(os.environ['PYTEST_XDIST_AUTO_NUM_WORKERS'], flush=True)"
WAIT = (
    "import sys, time, pathlib; f = pathlib.Path(sys.argv[1]); [time.sleep(0.05) for _ in range(200) if not f.exists()]"
)


def test_what_waits_runs_beside_the_others_and_they_leave_it_a_processor(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It would wait for ever if it came after them, and fail."""
    made = tmp_path / "made"
    waiting = Phase(
        "patient", (sys.executable, "-c", f"{WAIT}; assert f.exists(); print('seen')", str(made)), beside=True
    )
    making = phase("makes", f"{WORKERS}; open({str(made)!r}, 'w')", processes=4)
    small = phase("small", WORKERS, processes=1)
    said: list[str] = []
    try:
        outcomes = perform_all([making, waiting, small], said.append)
    finally:
        (RESULTS / "patient.log").unlink(missing_ok=True)
    assert [(one.name, one.ok) for one in outcomes] == [("makes", True), ("patient", True), ("small", True)]
    assert said[-2:] == ["seen\n", said[-1]]
    assert capfd.readouterr().out.split() == ["3", "1"]


def test_alone_it_prints_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    perform_all([phase("patient", WORKERS, processes=4, beside=True)], lambda _: None)
    assert capfd.readouterr().out == "4\n"


def test_whoever_is_interrupted_leaves_nothing_running() -> None:
    def interrupt(line: str) -> None:
        if "second" in line:
            raise KeyboardInterrupt

    sleeping = phase("first", "import time; time.sleep(600)", beside=True)
    before = psutil.Process().children()
    try:
        with pytest.raises(KeyboardInterrupt):
            perform_all([phase("second", "print()"), sleeping], interrupt)
    finally:
        (RESULTS / "first.log").unlink(missing_ok=True)
    assert psutil.Process().children() == before
