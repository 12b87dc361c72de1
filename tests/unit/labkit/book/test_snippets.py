import jupytext
import pytest

from labkit.book.errors import SnippetError
from labkit.book.snippets import Cell, Snippet, parse, read_all
from labkit.paths import ROOT
from tests.unit.labkit.book.small_lab import BODY, FRONT_MATTER, Lab, build_error

LINES_BEFORE = FRONT_MATTER.count("\n")


def cells(text: str) -> list[Cell]:
    return [part for part in parse("0_start", FRONT_MATTER + text).parts if isinstance(part, Cell)]


def cell(code: str, options: str = ":tags: [node-data]") -> str:
    return f"# Title\n\n```{{code-cell}}\n{options}\n\n{code}\n```\n"


@pytest.mark.parametrize("snippet", read_all(ROOT / "snippets"), ids=lambda snippet: snippet.name)
def test_jupytext_reads_the_same_cells(snippet: Snippet) -> None:
    notebook = jupytext.read(ROOT / "snippets" / f"{snippet.name}.md", fmt="md:myst")
    theirs = [(one.source, one.metadata.get("tags")) for one in notebook.cells if one.cell_type == "code"]
    ours = [part for part in snippet.parts if isinstance(part, Cell)]
    assert [(one.source.partition("\n")[2], list(one.tags)) for one in ours] == theirs


@pytest.mark.parametrize(
    ("tag", "line"), [("node-data", "# runs on node-data"), ("chameleon", "# runs in Chameleon Jupyter")]
)
def test_a_cell_says_first_where_it_runs(tag: str, line: str) -> None:
    assert cells(cell("x = 1", f":tags: [{tag}]"))[0].source == f"{line}\nx = 1"


def test_a_cell_magic_stays_first() -> None:
    assert cells(cell("%%bash\nset -eu"))[0].source == "%%bash\n# runs on node-data\nset -eu"


@pytest.mark.parametrize("options", [":tags: [node-data, parameters]", "---\ntags: [node-data, parameters]\n---"])
def test_other_tags_are_kept(options: str) -> None:
    assert cells(cell("x = 1", options))[0].tags == ("node-data", "parameters")


def test_an_expected_output_belongs_to_the_cell_before() -> None:
    assert [one.expected for one in cells(BODY)] == ["one\n", None]


def test_a_code_cell_that_is_quoted_is_not_one() -> None:
    assert cells(f"# Title\n\n````\n{cell('x')}````\n") == []


EXPECTED = "```{code-block} text\n:class: expected\n\n1\n```\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (cell("x", ":tags: []"), 3, "one of the tags node-data and chameleon on this code cell, got no tags"),
        (cell("x", ":tags: [parameters]"), 3, "got parameters"),
        (cell("x", ":tags: [chameleon, node-data]"), 3, "got chameleon, node-data"),
        (cell("x", ":tags: node-data"), 3, "expected a list of tags"),
        (cell("x", ":tags: [node-data"), 3, "expected YAML, got '[node-data'"),
        (cell("x", "---\ntags: [\n---"), 4, "the options are not YAML"),
        (cell("x", "---\ntags: [node-data]\n"), 4, "never end"),
        (cell("x", ":tags: [node-data]\n:hide: yes"), 3, "got hide"),
        (cell(""), 3, "expected some code"),
        (cell("x", ":tags: [node-data, only-embeded]"), 3, "got only-embeded"),
        (cell("# runs on node-data\nx"), 3, "leave it out"),
        (cell("%%bash\n# runs in Chameleon Jupyter\nls"), 3, "leave it out"),
        (cell("%%html\n<b>"), 3, "cannot stand below '%%html'"),
        (f"# Title\n\n{EXPECTED}", 3, "must follow its code cell"),
        (f"{cell('x')}\nWords between.\n\n{EXPECTED}", 11, "must follow its code cell"),
        (f"{cell('x')}\n{EXPECTED}\n{EXPECTED}", 15, "must follow its code cell directly, once"),
        ("No title\n", 1, "expected a title"),
        (cell("x")[9:], 1, "expected a title"),
        ("# Title\n\n```python\n", 3, "never closed"),
        ("# Title\n\n- one\n\n  ```{tip}\n  two\n  ```\n", 5, "not in a list"),
        ("# Title\n\n> :::{note}\n> two\n> :::\n", 3, "not in a list or a block quote"),
        ("# Title\n\n(name)=\n## More\n", 3, "cannot show a label"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(SnippetError) as failed:
        parse("0_start", FRONT_MATTER + text)
    assert says in str(failed.value)
    assert failed.value.line == LINES_BEFORE + line


@pytest.mark.parametrize("header", ["", "---\nkernelspec:\n  name: ir\n---\n", "---\n[\n---\n", "---\n- 1\n---\n"])
def test_the_front_matter_names_the_kernel(header: str) -> None:
    with pytest.raises(SnippetError, match=r"front matter|expected YAML"):
        parse("0_start", f"{header}\n# Title\n")


def test_an_error_names_the_file(lab: Lab) -> None:
    assert build_error(lab(_0_start="No title\n")).startswith("snippets/0_start.md:6: expected a title")
