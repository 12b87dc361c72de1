import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.book.errors import SnippetError
from labkit.book.identifiers import identifiers
from labkit.book.snippets import Snippet, parse
from tests.unit.labkit.book.small_lab import FRONT_MATTER

HEADINGS = st.text(min_size=1, max_size=60).filter(str.strip)
SECTIONS = st.lists(st.tuples(HEADINGS, st.integers(0, 3)), max_size=6)
ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What nbformat accepts as the id of a cell."""


def cell(code: str, name: str = "") -> str:
    named = f":id: {name}\n" if name else ""
    return f"```{{code-cell}}\n:tags: [node-data]\n{named}\n{code}\n```\n"


def snippet(sections: Sequence[tuple[str, int]], code: str = "x") -> Snippet:
    text = "# Title\n\n"
    for heading, number in sections:
        text += f"## {' '.join(heading.split())}\n\nWords.\n\n" + f"{cell(code)}\n" * number
    return parse("0_start", FRONT_MATTER + text)


@given(SECTIONS)
def test_ids_are_unique_and_valid(sections: Sequence[tuple[str, int]]) -> None:
    names = identifiers(snippet(sections))
    assert len(set(names)) == len(names)
    assert all(ALLOWED.fullmatch(f"{name}-expected") for name in names)


@given(SECTIONS)
def test_ids_stay_when_the_code_changes(sections: Sequence[tuple[str, int]]) -> None:
    assert identifiers(snippet(sections, "x")) == identifiers(snippet(sections, "other"))


@given(SECTIONS, st.integers(0, 6))
def test_ids_stay_when_a_section_is_added(sections: Sequence[tuple[str, int]], position: int) -> None:
    more = [*sections[:position], ("A heading of its own", 2), *sections[position:]]
    before = [name for name in identifiers(snippet(sections)) if "-code-" in name]
    after = [name for name in identifiers(snippet(more)) if "-code-" in name]
    assert [name for name in after if not name.startswith("a-heading-of-its-own")] == before


def test_an_id_of_ones_own_is_kept() -> None:
    text = f"{FRONT_MATTER}# Title\n\n{cell('x', 'my_cell')}"
    assert identifiers(parse("0_start", text)) == ["title-text-1", "my_cell"]


@pytest.mark.parametrize("name", ["my cell", "ü", "x" * 51, "title-text-1"])
def test_an_id_that_is_bad_or_taken_is_named(name: str) -> None:
    text = f"{FRONT_MATTER}# Title\n\n{cell('x', name)}"
    with pytest.raises(SnippetError, match=r"snippets/0_start.md:8: (an id has|the id .* is taken)"):
        identifiers(parse("0_start", text))
