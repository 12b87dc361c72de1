from pathlib import Path

import pytest

from labkit.book.errors import SnippetError
from labkit.book.quotes import Region
from tests.unit.labkit.book.small_lab import BODY, Lab, build_error, built

COMPOSE = """services:
  # region: api
  api:
    image: api
  # endregion: api
  # region: api_v2
  api_v2:
    image: api
  # endregion: api_v2
  # <db>
  db:

    image: db
  # </db>
"""


def quote(file: str = "../compose.yaml", name: str = "db", more: str = ":language: yaml\n") -> str:
    return f"```{{literalinclude}} {file}\n:start-after: <{name}>\n:end-before: </{name}>\n{more}```\n"


@pytest.fixture(name="root")
def lab_with_compose_file(lab: Lab) -> Path:
    root = lab()
    (root / "compose.yaml").write_text(COMPOSE)
    return root


@pytest.mark.parametrize("dedent", [":dedent: 2", ":dedent:"])
def test_a_region_becomes_its_lines_and_says_where_they_are_from(root: Path, lab: Lab, dedent: str) -> None:
    lab(_0_start=BODY + "\n" + quote(more=f":language: yaml\n{dedent}\n:caption: compose.yaml\n"))
    expected = "```yaml\ndb:\n\n  image: db\n```\n\n*From `compose.yaml`.*"
    assert expected in "".join(built(root)["cells"][-1]["source"])
    assert expected in (root / "index.md").read_text()


def test_another_caption_is_kept_beside_the_file(root: Path, lab: Lab) -> None:
    lab(_0_start=BODY + "\n" + quote(more=":language: yaml\n:caption: The database\n"))
    assert "*The database, from `compose.yaml`.*" in "".join(built(root)["cells"][-1]["source"])


def test_a_quoted_fence_is_inside_of_a_longer_one(root: Path, lab: Lab) -> None:
    (root / "page.md").write_text("<db>\n```python\n1\n```\n</db>\n")
    lab(_0_start=BODY + "\n" + quote(file="../page.md", more=":language: md\n"))
    assert "````md\n```python\n1\n```\n````\n" in "".join(built(root)["cells"][-1]["source"])


def test_a_marker_that_is_part_of_another_is_refused_because_sphinx_would_take_the_wrong_one(root: Path) -> None:
    with pytest.raises(SnippetError, match=r"'region: api' once in compose.yaml, found it 4 times"):
        Region(root / "compose.yaml", "region: api", "endregion: api").text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (quote(file="../missing.yaml"), "expected a file missing.yaml"),
        (quote(name="cache"), "expected the marker '<cache>' once in compose.yaml, found it 0 times"),
        (quote().replace("</db>", "<db>").replace("<db>", "</db>", 1), "found it after"),
        (quote(more=""), "needs the options language"),
        (quote(more=":language: yaml\n:lines: 1-3\n"), "not lines"),
        (quote(more=":language: yaml\n:dedent: 4\n"), "cannot cut 4 spaces from '  db:'"),
        (quote(more=":language: yaml\n:dedent: two\n"), "expected a number of spaces"),
        (quote(file="../../etc/passwd"), "expected a file of this lab"),
    ],
)
def test_what_cannot_be_quoted_stops_the_build_at_its_line(root: Path, lab: Lab, text: str, says: str) -> None:
    lab(_0_start=f"# Title\n\nWords.\n\n{text}")
    error = build_error(root)
    assert error.startswith("snippets/0_start.md:10: ")
    assert says in error
