from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

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
