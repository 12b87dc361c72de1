from pathlib import Path
from typing import Any

import nbformat
import pytest

from labkit.paths import ROOT
from tests.unit.labkit.book.small_lab import Lab, built


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize("folder", ["notebooks", "build/nbval"])
def test_a_notebook_is_as_nbformat_would_write_it(lab: Lab, folder: str) -> None:
    root = lab()
    built(root, folder)
    text = (root / folder / "0_start.ipynb").read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text


@pytest.mark.parametrize("file", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda file: file.stem)
def test_the_notebooks_of_the_lab_are_valid(file: Path) -> None:
    nbformat.validate(nbformat.read(file, as_version=4))


def test_a_student_sees_what_to_expect_and_no_outputs(lab: Lab) -> None:
    notebook = built(lab())
    origin, _, rest = source(notebook["cells"][0]).partition("\n")
    assert origin == "*Made from snippets/0_start.md by ./build_docs.sh: edit that file.*"
    assert rest.lstrip().startswith("# Start")
    code, expected = notebook["cells"][1:3]
    assert source(code) == '# runs on node-data\nprint("one")'
    assert source(expected) == "**You should see**\n\n```text\none\n```"
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


def test_only_the_notebook_for_nbval_has_expected_outputs(lab: Lab) -> None:
    checked, other = built(lab(), "build/nbval")["cells"]
    assert checked["outputs"] == [{"name": "stdout", "output_type": "stream", "text": ["one\n"]}]
    assert checked["execution_count"] == 1
    assert checked["metadata"]["tags"] == ["node-data", "nbval-check-output"]
    assert other["outputs"] == []
    assert other["metadata"]["tags"] == ["chameleon", "only-chameleon"]
