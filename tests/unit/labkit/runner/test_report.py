from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from labkit.runner.report import write_page

PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0P\x0f\0\x04\x85\x01\x80\x84\xa9\x8c!\0\0\0\0IEND\xaeB`\x82"
)


def test_pictures_beside_the_notebooks_are_put_into_the_page(tmp_path: Path) -> None:
    for folder in ("notebooks", "snippets/images", "run"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "snippets/images/dot.png").write_bytes(PIXEL)
    executed = tmp_path / "run/1_dot.ipynb"
    text = "![a dot](../snippets/images/dot.png) and [a link](../README.md)"
    nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), executed)
    page = write_page(executed, tmp_path / "notebooks").read_text()
    assert 'src="data:image/png;base64,' in page
    assert "dot.png" not in page
    assert 'href="../README.md"' in page


def test_of_a_progress_bar_the_page_shows_the_last_state(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    executed = tmp_path / "1_bar.ipynb"
    parts = ("before\n\rstate 1", "\rstate 2", "\rstate 3\n", "after\n")
    outputs = [new_output("stream", name="stdout", text=text) for text in parts]
    nbformat.write(new_notebook(cells=[new_code_cell("work()", outputs=outputs)]), executed)
    page = write_page(executed, tmp_path / "notebooks").read_text()
    assert "before\nstate 3\nafter\n" in page
    assert "state 1" not in page
    assert "state 2" not in page
