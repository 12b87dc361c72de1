from pathlib import Path

import pytest

from labkit.book.__main__ import main
from labkit.paths import ROOT
from tests.unit.labkit.book.small_lab import BODY, PASSWORD, Lab


def generated(root: Path) -> dict[Path, bytes]:
    files = [*(root / "notebooks").iterdir(), *(root / "build/nbval").iterdir(), root / "index.md"]
    return {file: file.read_bytes() for file in files}


def test_the_lab_itself_builds_and_is_committed_as_built() -> None:
    assert main(["--check", "--notebooks"], ROOT) == 0


def test_building_twice_changes_nothing(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    root = lab()
    assert main([], root) == 0
    first, times = generated(root), {file: file.stat().st_mtime_ns for file in generated(root)}
    capsys.readouterr()
    assert main([], root) == 0
    assert generated(root) == first
    assert {file: file.stat().st_mtime_ns for file in first} == times
    assert capsys.readouterr().out == "3 files are up to date\n"


def test_another_folder_gives_the_same_bytes(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = lab()
    copy = tmp_path_factory.mktemp("a lab elsewhere") / "x"
    main([], root)
    (root / "snippets").rename(root / "moved")
    copy.mkdir()
    (root / "moved").rename(copy / "snippets")
    main([], copy)
    assert [*generated(copy).values()] == [*generated(root).values()]


@pytest.mark.parametrize("file", ["notebooks/0_start.ipynb", "index.md"])
@pytest.mark.parametrize("damage", ["edit", "remove", "line endings"])
def test_check_names_each_stale_file_and_the_cure(
    lab: Lab, capsys: pytest.CaptureFixture[str], file: str, damage: str
) -> None:
    root = lab()
    main([], root)
    if damage == "edit":
        (root / file).write_text((root / file).read_text() + " ")
    elif damage == "remove":
        (root / file).unlink()
    else:
        (root / file).write_bytes((root / file).read_bytes().replace(b"\n", b"\r\n"))
    before = (root / file).read_bytes() if damage != "remove" else b""
    capsys.readouterr()
    assert main(["--check"], root) == 1
    said = capsys.readouterr().err
    assert f"stale: {file}\n" in said
    assert said.count("stale:") == 1
    assert "run ./build_docs.sh" in said
    assert ((root / file).read_bytes() if damage != "remove" else b"") == before
    assert main([], root) == 0
    assert main(["--check"], root) == 0


def test_a_changed_snippet_makes_its_notebook_stale(lab: Lab) -> None:
    root = lab()
    main([], root)
    lab(_0_start=BODY.replace("Words", "Other words"))
    assert main(["--check"], root) == 1


def test_a_notebook_without_a_snippet_is_stale_and_is_removed(lab: Lab) -> None:
    root = lab(_0_start=BODY, _1_more=BODY)
    main([], root)
    (root / "snippets/1_more.md").unlink()
    assert main(["--check"], root) == 1
    main([], root)
    assert not (root / "notebooks/1_more.ipynb").exists()
    assert not (root / "build/nbval/1_more.ipynb").exists()
    assert main(["--check"], root) == 0


def test_stages_are_in_the_order_of_their_numbers(lab: Lab) -> None:
    root = lab(_10_ten="# Ten\n", _2_two="# Two\n", LICENSE="# no stage\n")
    main([], root)
    page = (root / "index.md").read_text()
    assert page.index("# Two") < page.index("# Ten")
    assert "no stage" not in page


def test_a_lab_without_snippets_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 1
    assert "expected snippets" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--check"]])
@pytest.mark.parametrize("where", ["prose", "code", "expected", "quoted"])
def test_a_password_stops_the_build(
    lab: Lab, capsys: pytest.CaptureFixture[str], arguments: list[str], where: str
) -> None:
    root = lab()
    (root / "config").write_text(f"# <a>\n{PASSWORD}\n# </a>\n")
    quote = "```{literalinclude} ../config\n:language: yaml\n:start-after: <a>\n:end-before: </a>\n```\n"
    text = {
        "prose": BODY.replace("Words", PASSWORD),
        "code": BODY.replace('"two"', f'"{PASSWORD}"'),
        "expected": BODY.replace("\none\n", f"\n{PASSWORD}\n"),
        "quoted": BODY + quote,
    }
    lab(_0_start=text[where])
    assert main(arguments, root) == 1
    said = capsys.readouterr().err
    assert "DB_PASSWORD" in said
    assert PASSWORD not in said
    assert not (root / "index.md").exists()


def test_a_notebook_that_was_run_and_saved_with_a_password_is_named(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    root = lab()
    main([], root)
    notebook = root / "notebooks/0_start.ipynb"
    notebook.write_text(notebook.read_text().replace('"outputs": []', f'"outputs": ["{PASSWORD}"]'))
    assert main(["--check"], root) == 1
    assert "0_start.ipynb contains the value of DB_PASSWORD" in capsys.readouterr().err


def test_names_may_be_written(lab: Lab) -> None:
    assert main([], lab(_0_start="# gourmetgram and somebody\n")) == 0


def test_a_lab_that_was_never_started_builds(lab: Lab) -> None:
    root = lab()
    (root / "docker/.env").unlink()
    assert main([], root) == 0
