from pathlib import Path

import pytest

from tests.unit.labkit.book.small_lab import Lab, build_error, built


@pytest.fixture(name="root")
def lab_with_files(lab: Lab) -> Path:
    root = lab(_0_start="# Start\n", _1_next="# Next\n")
    (root / "snippets/images").mkdir()
    (root / "snippets/images/a.png").write_bytes(b"")
    (root / "lab").write_text("")
    return root


def forms(lab: Lab, root: Path, text: str) -> tuple[str, str]:
    """What the text becomes in the notebook and on the page."""
    lab(_0_start=f"# Start\n\n{text}\n")
    notebook = "".join(built(root)["cells"][0]["source"]).partition("# Start\n\n")[2]
    page = (root / "index.md").read_text().partition("# Start\n\n")[2].partition('\n\n<a id="1_next">')[0]
    return notebook, page


@pytest.mark.parametrize(
    ("text", "notebook", "page"),
    [
        ("[go on](1_next.md)", "[go on](1_next.ipynb)", "[go on](#1_next)"),
        ("[later](7_later.md)", "later", "later"),
        ("![A plot](images/a.png)", "![A plot](../snippets/images/a.png)", "![A plot](snippets/images/a.png)"),
        ('![A](images/a.png "Title")', '![A](../snippets/images/a.png "Title")', '![A](snippets/images/a.png "Title")'),
        ('<img src="images/a.png">', '<img src="../snippets/images/a.png">', '<img src="snippets/images/a.png">'),
        ("[the command](../lab)", "[the command](../lab)", "[the command](lab)"),
        ("[a\nlong text](1_next.md)", "[a\nlong text](1_next.ipynb)", "[a\nlong text](#1_next)"),
    ],
)
def test_links_lead_to_the_same_place(lab: Lab, root: Path, text: str, notebook: str, page: str) -> None:
    assert forms(lab, root, text) == (notebook, page)


@pytest.mark.parametrize(
    "text",
    [
        "`[code](missing.md)` and ``a ` [b](missing.md)``",
        "```python\n[code](missing.md)\n```",
        "```mermaid\nflowchart LR\n  accDescr: from a to b\n  a --> b\n```",
        "- a list\n\n  ```text\n  [in](it.md)\n  ```",
        "[site](https://example.org/a.md) and [here](#a-heading) and <https://example.org>",
        "    an indented [1, 2](3 4) block",
        "a :colon: and ::: three",
        "`{doc}` in code, ${A}, 100 % of it, 1 +++ 2",
    ],
)
def test_what_is_not_ours_is_kept(lab: Lab, root: Path, text: str) -> None:
    assert forms(lab, root, text) == (text, text)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (":::{note}\nTwo\n\nparagraphs\n:::", "> **Note**\n>\n> Two\n>\n> paragraphs"),
        ("```{warning}\nHot\n```", "> **Warning**\n>\n> Hot"),
        (":::{tip} On the first line,\nand more\n:::", "> **Tip**\n>\n> On the first line,\n> and more"),
        (":::{admonition} A title of its own\n:class: tip\n\nWords\n:::", "> **A title of its own**\n>\n> Words"),
        (":::{note}\n```python\nx\n\ny\n```\n:::", "> **Note**\n>\n> ```python\n> x\n>\n> y\n> ```"),
        ("::::{note}\n:::{seealso}\nIn\n:::\n::::", "> **Note**\n>\n> > **See also**\n> >\n> > In"),
        ("```{code-block} sql\nSELECT 1\n```", "```sql\nSELECT 1\n```"),
        ("```{mermaid}\naccDescr: ab\na --> b\n```", "```mermaid\naccDescr: ab\na --> b\n```"),
    ],
)
def test_directives_become_plain_markdown(lab: Lab, root: Path, text: str, becomes: str) -> None:
    assert forms(lab, root, text) == (becomes, becomes)


def test_links_in_a_note_lead_on_as_well(lab: Lab, root: Path) -> None:
    notebook, page = forms(lab, root, ":::{note}\n[go on](1_next.md)\n:::")
    assert notebook.endswith("> [go on](1_next.ipynb)")
    assert page.endswith("> [go on](#1_next)")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("Words\n{doc}`1_next`", 9, "cannot show a role such as {doc}"),
        ("[go on][next]\n\n[next]: 1_next.md", 10, "write the target into the link itself"),
        ("one\ntwo ![A](images/b.png)", 9, "expected a file at 'images/b.png'"),
        ("[x](notes.md)", 8, "expected a file at 'notes.md'"),
        ("[x](1_next.md#part)", 8, "link to the stage, not to #part"),
        ("```{figure} images/a.png\n```", 8, "expected one of the directives"),
        ("````{note}\nWords.\n\n```{nothing}\n```\n````", 11, "got nothing"),
        (":::{note}\n\n[x](notes.md)\n:::", 10, "expected a file at 'notes.md'"),
        (":::{tip} [x](notes.md)\nmore\n:::", 8, "expected a file at 'notes.md'"),
    ],
)
def test_what_cannot_be_shown_stops_the_build_at_its_line(
    lab: Lab, root: Path, text: str, line: int, says: str
) -> None:
    lab(_0_start=f"# Start\n\n{text}\n")
    error = build_error(root)
    assert error.startswith(f"snippets/0_start.md:{line}: ")
    assert says in error


def test_code_that_holds_a_fence_is_inside_of_a_longer_one_on_the_page(lab: Lab, root: Path) -> None:
    cell = "````{code-cell}\n:tags: [node-data]\n\nprint('''\n```\n''')\n````"
    lab(_0_start=f"# Start\n\n{cell}\n")
    built(root)
    assert "````python\n# runs on node-data\nprint('''\n```\n''')\n````\n" in (root / "index.md").read_text()


@pytest.mark.parametrize("unseen", ["+++", '+++ {"tags": ["a"]}', "% for the authors"])
def test_what_is_for_authors_is_left_out(lab: Lab, root: Path, unseen: str) -> None:
    assert forms(lab, root, f"One\n\n{unseen}\n\ntwo") == ("One\n\ntwo", "One\n\ntwo")
