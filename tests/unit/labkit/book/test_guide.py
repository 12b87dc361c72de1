import re

import pytest

from labkit.book.prose import ADMONITIONS
from labkit.book.snippets import PLACES, Cell, parse
from labkit.paths import ROOT

GUIDE = (ROOT / "docs/writing-snippets.md").read_text()


def test_the_snippet_in_the_guide_can_be_built() -> None:
    example = re.search(r"^`````md\n(.*?)^`````$", GUIDE, re.DOTALL | re.MULTILINE)
    assert example
    snippet = parse("2_application", example[1])
    assert [part.expected for part in snippet.parts if isinstance(part, Cell)] == ["42\n"]


@pytest.mark.parametrize(
    "word", [*PLACES, "parameters", "literalinclude", "mermaid", "code-block", "admonition", "note"]
)
def test_the_guide_names_what_a_snippet_may_hold(word: str) -> None:
    assert re.search(rf"\b{word}\b", GUIDE)


def test_the_guide_names_no_admonition_that_does_not_exist() -> None:
    assert set(re.findall(r":::\{(\w+)\}", GUIDE)) <= {*ADMONITIONS, "admonition", "dropdown"}
