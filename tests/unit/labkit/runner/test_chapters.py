from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit.runner.chapters import Chapter, belongs, chapters, first_line, headings, numbers, titles
from labkit.runner.errors import RunError


def cell(kind: str, source: str, *tags: str) -> dict[str, object]:
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}}


@pytest.mark.parametrize(("only", "expected"), [("2-5", {2, 3, 4, 5}), ("0,2, 3", {0, 2, 3}), ("7", {7})])
def test_numbers(only: str, expected: set[int]) -> None:
    assert numbers(only) == expected


@pytest.mark.parametrize("only", ["", "a", "2-", "-3", "2..3", "2,,3"])
def test_numbers_refuses(only: str) -> None:
    with pytest.raises(RunError, match="expected numbers of notebooks"):
        numbers(only)


def test_chapters_are_in_order_and_nothing_else_is_one(tmp_path: Path) -> None:
    for name in ("10_ten", "2_two", "0_zero", "scratch"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [chapter.name for chapter in chapters(tmp_path)] == ["0_zero", "2_two", "10_ten"]
    assert [chapter.name for chapter in chapters(tmp_path, "2-9")] == ["2_two"]
    with pytest.raises(RunError, match="there are 0_zero, 2_two, 10_ten"):
        chapters(tmp_path, "5")


@pytest.mark.parametrize(
    ("tags", "runs"),
    [(["chameleon"], False), (["node-data"], True), (["chameleon", "node-data"], True), ([], True)],
)
def test_a_notebook_for_the_portal_is_left_out(tags: list[str], runs: bool, tmp_path: Path) -> None:
    cells = [new_code_cell("1", metadata={"tags": [tag]}) for tag in tags]
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), *cells]), tmp_path / "1_name.ipynb")
    assert (Chapter(tmp_path / "1_name.ipynb").why_skipped() == "") is runs


def test_cells_belong_to_the_places_of_their_tags() -> None:
    assert belongs(cell("code", "1"), "embedded")
    assert belongs(cell("code", "1", "node-data", "only-compose", "only-embedded"), "embedded")
    assert not belongs(cell("code", "1", "only-chameleon"), "embedded")


def test_titles() -> None:
    cells = [
        cell("code", "# runs on node-data\nx = 1"),
        cell("markdown", "# One\n\n## The `map`\n\n```sh\n# not a heading\n```"),
        cell("code", "import a"),
        cell("code", "# runs on node-data\nimport b"),
        cell("markdown", "no heading"),
        cell("code", "c()"),
        cell("markdown", "## Next"),
        cell("code", "d()"),
    ]
    assert titles(cells) == ["x = 1", "The map", "The map", "import b", "no heading", "c()", "Next", "Next"]
    assert headings(cells) == ["", *["The map"] * 5, "Next", "Next"]


def test_first_line_of_a_cell_with_comments_only() -> None:
    assert first_line("# nothing\n# here") == "# nothing"
