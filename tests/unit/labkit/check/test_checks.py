import json
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.check import CheckFailed, Stage, check, stage


@pytest.fixture(name="progress")
def progress_file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "progress.json"


def recorded(file: Path, name: str) -> tuple[int, int]:
    result = json.loads(file.read_text())[name]
    return result["passed"], result["failed"]


def dead_service() -> bool:
    raise ConnectionRefusedError("port 5432")


@pytest.mark.parametrize("condition", [True, 1, "text", [0], lambda: True])
def test_what_is_true_is_printed(condition: object, capsys: pytest.CaptureFixture[str]) -> None:
    check("water is wet", condition, "wait for rain")
    assert capsys.readouterr().out == "✓ water is wet\n"


@pytest.mark.parametrize("condition", [False, 0, "", None, [], lambda: False])
def test_what_is_false_says_what_to_do(condition: object) -> None:
    with pytest.raises(CheckFailed) as failed:
        check("water is wet", condition, "wait for rain")
    assert str(failed.value) == "✗ water is wet\n  what to do: wait for rain"


def test_a_condition_that_breaks_is_a_failed_check_with_its_reason() -> None:
    with pytest.raises(CheckFailed, match=r"ConnectionRefusedError: port 5432\n  what to do: start it"):
        check("the database answers", dead_service, "start it")


def test_a_stage_makes_all_checks_before_it_fails(progress: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def block(checks: Stage) -> None:
        checks.check("one", False, "mend one")
        checks.check("two", True, "mend two")
        checks.check("three", dead_service, "mend three")

    with pytest.raises(CheckFailed) as failed, stage("2_application", progress) as checks:
        block(checks)
    assert str(failed.value).startswith(
        "2 of 3 checks of 2_application failed:\n✗ one\n  what to do: mend one\n✗ three"
    )
    assert [line[0] for line in capsys.readouterr().out.splitlines() if line[0] in "✓✗"] == ["✗", "✓", "✗"]
    assert recorded(progress, "2_application") == (1, 2)


@given(conditions=st.lists(st.booleans(), min_size=1))
def test_a_stage_passes_when_all_its_checks_do(
    conditions: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    progress = tmp_path_factory.mktemp("stage") / "progress.json"
    failed = False
    try:
        with stage("s", progress) as checks:
            for condition in conditions:
                checks.check("something", condition, "do something")
    except CheckFailed:
        failed = True
    assert failed == (False in conditions)
    assert recorded(progress, "s") == (conditions.count(True), conditions.count(False))


def test_an_error_in_the_block_gets_out_and_the_stage_has_failed(progress: Path) -> None:
    def block(checks: Stage) -> None:
        checks.check("one", True, "mend one")
        checks.check("two", 1 / 0, "mend two")

    with pytest.raises(ZeroDivisionError), stage("s", progress) as checks:
        block(checks)
    assert recorded(progress, "s") == (1, 1)


def test_a_stage_without_checks_has_not_passed(progress: Path) -> None:
    with pytest.raises(CheckFailed, match="checked nothing"), stage("s", progress):
        pass
    assert recorded(progress, "s") == (0, 1)


def test_the_environment_names_the_progress_file(progress: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_PROGRESS", str(progress))
    with stage("s") as checks:
        checks.check("one", True, "mend one")
    assert recorded(progress, "s") == (1, 0)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from labkit.check import progress
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    progress.record(Path(sys.argv[1]), f"{sys.argv[2]}_{number}", number, 0, datetime.now(UTC))
"""


def test_two_notebooks_write_at_once_and_no_result_is_lost(progress: Path) -> None:
    def writer(name: str) -> "Popen[str]":
        return Popen([executable, "-c", WRITER, str(progress), name], stdin=PIPE, stdout=PIPE, text=True)

    with writer("a") as first, writer("b") as second:
        for process in (first, second):
            assert process.stdout is not None
            process.stdout.readline()
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
    assert {first.returncode, second.returncode} == {0}
    assert set(json.loads(progress.read_text())) == {f"{name}_{number}" for name in "ab" for number in range(100)}
