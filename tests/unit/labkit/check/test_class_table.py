import csv
import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labkit.check import progress
from labkit.check.class_table import ClassTable, collect, exercises_in
from labkit.paths import NOTEBOOKS
from labkit.runner.chapters import chapters

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
STAGES = ["0_intro", "2_application"]


@pytest.fixture(name="folder")
def submissions(tmp_path: Path) -> Path:
    progress.record(tmp_path / "ben.json", "0_intro", 4, 0, AT)
    progress.record(tmp_path / "ana/progress.json", "0_intro", 4, 0, AT)
    progress.record(tmp_path / "ana/progress.json", "2_application", 5, 1, AT)
    progress.record_exercise(tmp_path / "ana/progress.json", "0.1", True, AT.replace(hour=10))
    progress.record_exercise(tmp_path / "ana/progress.json", "0.2", False, AT)
    return tmp_path


def rows(folder: Path) -> list[list[str]]:
    return list(ClassTable(STAGES, ["0.1", "0.2", "2.1"], collect(folder)).rows())


def test_a_class_has_a_row_for_each_student(folder: Path) -> None:
    assert rows(folder) == [
        ["ana", "✓", "✗", "1 of 3", "2026-11-22 10:30"],
        ["ben", "✓", ".", "0 of 3", "2026-11-22 09:30"],
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"0_intro": 3}', '{"0_intro": {"passed": 1}}', '{"exercises": []}', "\xff"]
)
def test_a_file_that_is_none_is_named_and_the_others_are_shown(folder: Path, text: str) -> None:
    (folder / "carl.json").write_bytes(text.encode("latin-1"))
    found = rows(folder)
    assert [row[0] for row in found] == ["ana", "ben", "carl"]
    assert found[2][1:4] == [".", ".", "0 of 3"]
    assert found[2][4] in {"."} or "not a progress file" in found[2][4]


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"expected files such as ana\.json"):
        collect(tmp_path)


def test_the_table_is_a_spreadsheet_too(folder: Path) -> None:
    file = io.StringIO()
    ClassTable(STAGES, ["0.1"], collect(folder)).write_csv(file)
    file.seek(0)
    assert [row["student"] for row in csv.DictReader(file)] == ["ana", "ben"]


def test_the_exercises_of_the_lab_are_found() -> None:
    found = exercises_in(sorted(NOTEBOOKS.glob("*.ipynb")))
    assert found[:3] == ["0.1", "0.2", "2.1"]
    assert len(found) == len(set(found))
    of_stage = Counter(one.partition(".")[0] for one in found)
    here = [chapter for chapter in chapters(NOTEBOOKS) if not chapter.why_skipped()]
    assert set(of_stage) == {str(chapter.number) for chapter in here}
    assert min(of_stage.values()) >= 2


def test_the_command_shows_it(folder: Path) -> None:
    import typer

    from labkit.commands.progress import command

    app = typer.Typer()
    app.command()(command)
    shown = CliRunner().invoke(app, [str(folder)], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "ana" in shown.output
    written = CliRunner().invoke(app, [str(folder), "--csv", str(folder / "class.csv")])
    assert written.exit_code == 0
    assert (folder / "class.csv").read_text().startswith("student,0_intro,")
    assert CliRunner().invoke(app, [str(folder / "nobody")]).exit_code == 2
