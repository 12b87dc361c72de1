import json
from pathlib import Path

import pytest

from labkit.runner.execute import CellFailure
from labkit.runner.failure import blamed, error_text, started_last
from labkit.runner.logs import readable
from labkit.runner.results import Checks, NotebookResult, checks


def test_a_json_log_line_becomes_a_sentence() -> None:
    trace = "Traceback (most recent call last):\n  File x\nInvalidPasswordError: wrong for user api"
    line = json.dumps({"event": "health failed", "level": "error", "timestamp": "now", "port": 5, "exception": trace})
    assert readable(line) == "error: health failed; InvalidPasswordError: wrong for user api; port=5"


def test_equal_lines_are_counted() -> None:
    assert readable("a\nb\nb\nb\n\n\nc") == "a\nb (3 times)\n\nc"


def test_colours_go_and_other_json_stays() -> None:
    assert readable('\x1b[31mred\x1b[0m\n[1, 2]\n{"a": 1}') == 'red\n[1, 2]\n{"a": 1}'


def test_services_named_by_an_error() -> None:
    error = "StackError: The service minio-init ended with status 1.\nService api_v1 is missing; so is service unknown."
    assert blamed(error, ["api_v1", "minio", "minio-init", "postgres"]) == ["api_v1", "minio-init"]


def test_services_started_last() -> None:
    sources = ['lab.up("postgres")', 'lab.up("minio", \'minio-init\')\nprint("postgres")']
    assert started_last(sources, ["postgres", "minio", "minio-init"]) == ["minio", "minio-init"]
    assert started_last(["print()"], ["postgres"]) == []


def test_an_error_shows_the_cell_and_not_the_libraries() -> None:
    frames = ("-----", "\x1b[1mCell\x1b[0m In[2], line 1\n----> 1 f()", "File lib.py:3, in f()\n  3 raise", "V: no")
    text = error_text(CellFailure(0, "ValueError", "no", frames))
    assert text == "Cell In[2], line 1\n----> 1 f()\n\nValueError: no"


@pytest.mark.parametrize(
    ("result", "columns"),
    [
        (NotebookResult("2_x", cells=3, cells_run=3, checks=Checks(7, 0), seconds=1.26), ("3", "7 of 7", "1.3")),
        (NotebookResult("2_x", cells=3, cells_run=1, checks=Checks(6, 1)), ("1 of 3", "6 of 7", "0.0")),
        (NotebookResult("1_x", skipped="elsewhere"), ("skipped", "", "")),
    ],
)
def test_rows(result: NotebookResult, columns: tuple[str, str, str]) -> None:
    assert result.columns() == columns


def test_checks_come_from_the_progress_file(tmp_path: Path) -> None:
    assert checks(tmp_path / "progress.json", "2_x") == Checks()
    (tmp_path / "progress.json").write_text('{"2_x": {"passed": 7, "failed": 1, "at": "now"}}')
    assert checks(tmp_path / "progress.json", "2_x") == Checks(7, 1)
    assert checks(tmp_path / "progress.json", "3_x") == Checks()
