"""Snippets: MyST Markdown notebooks, read into prose and code cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labkit.book.blocks import Block, Directive, Fence, Text, scan
from labkit.book.errors import SnippetError, in_file

PORTAL = "chameleon"
"""The tag of cells that make or delete the server: they run in the Jupyter of the portal, and not on that server."""

PLACES = {"node-data": "# runs on node-data", PORTAL: "# runs in Chameleon Jupyter"}
"""The tag that says where a cell runs, and the line that tells the student."""

OTHER_TAGS = {"only-chameleon", "only-compose", "only-embedded", "parameters", "raises-exception", "wrong"}
"""What else a cell may be tagged with. A misspelt tag would quietly change where a cell runs, or whether it does."""

_COMMENTABLE = {"bash", "capture", "script", "sh", "time", "timeit"}
"""Cell magics whose text may hold a comment."""

_FRONT_MATTER = re.compile(r"\A---\n(?P<yaml>.*?\n)---\n", re.DOTALL)
_TITLE = re.compile(r"# \S")


@dataclass(frozen=True)
class Prose:
    """A stretch of text, as blocks."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Cell:
    """A code cell with the output it should have (None when that varies); `line` is where it begins.

    `picture` says in words what the cell draws, for those who cannot see it.
    """

    source: str
    tags: tuple[str, ...]
    line: int
    identifier: str | None = None
    expected: str | None = None
    picture: str | None = None


Part = Prose | Cell


@dataclass(frozen=True)
class Snippet:
    """One stage of the lab: its file without the ending, its title, and its parts, of which the first is prose.

    It takes about so many `minutes` to read and run, and `needs` other stages to be done before.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    minutes: int = 0
    needs: tuple[str, ...] = ()

    @property
    def is_for_portal(self) -> bool:
        """Whether its cells run in the Jupyter of the portal, and not on the machine of the services."""
        return are_for_portal([part.tags for part in self.parts if isinstance(part, Cell)])


def are_for_portal(tags: Sequence[Sequence[str]]) -> bool:
    """Whether cells with these tags, if there are any, all run in the Jupyter of the portal."""
    return bool(tags) and all(PORTAL in of_cell for of_cell in tags)


def runs_in(tags: Sequence[str], place: str) -> bool:
    """Whether a cell with these tags runs in `place`: one with tags only-P runs in the places P and nowhere else."""
    wanted = [tag.removeprefix("only-") for tag in tags if tag.startswith("only-")]
    return not wanted or place in wanted


def read_all(folder: Path) -> list[Snippet]:
    """All stages of the lab, in the order of their numbers; what is not called `N_name.md` is no stage.

    Raises:
        SnippetError: naming the file, the line and what is wrong there.
    """
    files = [file for file in folder.glob("*_*.md") if file.name.partition("_")[0].isdecimal()]
    return [read(file) for file in sorted(files, key=lambda file: (int(file.name.partition("_")[0]), file.name))]


def read(file: Path) -> Snippet:
    """One stage.

    Raises:
        SnippetError: naming the file, the line and what is wrong there.
    """
    with in_file(f"{file.parent.name}/{file.name}"):
        return parse(file.stem, file.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Snippet:
    """A stage from its text.

    Raises:
        SnippetError: with the line.
    """
    front, body, first_line = _front_matter(text)
    blocks = scan(body, first_line)
    if not (blocks and isinstance(blocks[0], Text) and _TITLE.match(blocks[0].text)):
        raise SnippetError(
            "expected a title, '# …', right after the front matter", blocks[0].line if blocks else first_line
        )
    parts: list[Part] = []
    for block in [*_with_facts(blocks[0], front), *blocks[1:]]:
        directive = block.directive() if isinstance(block, Fence) else None
        if directive and directive.name == "code-cell":
            parts.append(_cell(directive, block.line))
        elif directive and "expected" in directive.options.get("class", "").split():
            parts[-1] = _expecting(parts[-1], directive, block.line)
        else:
            _add(parts, block)
    title = blocks[0].text.splitlines()[0].removeprefix("# ")
    return Snippet(name, title, tuple(parts), front.minutes, tuple(front.needs))


def _with_facts(title: Text, facts: "_Lab") -> list[Block]:
    """The first text, and below its title how long the stage takes and what comes before it."""
    if not facts.minutes:
        return [title]
    before = ", ".join(f"[{stage}]({stage}.md)" for stage in facts.needs)
    line = f"*About {facts.minutes} minutes to read and run.{f' Before it: {before}.' if before else ''}*"
    heading, _, rest = title.text.partition("\n")
    parts = [Text(heading, title.line), Text(line, title.line)]
    return [*parts, Text(rest.strip("\n"), title.line + 2)] if rest.strip() else [*parts]


class _Lab(BaseModel):
    """What a snippet says about its stage."""

    model_config = ConfigDict(extra="forbid")

    minutes: int = Field(default=0, ge=0)
    needs: list[str] = []


class _Kernel(BaseModel):
    name: Literal["python3"]


class _FrontMatter(BaseModel):
    """What stands between the two `---`; what is for jupytext is left to it."""

    kernelspec: _Kernel
    lab: _Lab = _Lab()


def _front_matter(text: str) -> tuple[_Lab, str, int]:
    """What the front matter says, the text after it, and the number of that text's first line."""
    match = _FRONT_MATTER.match(text)
    try:
        front = _FrontMatter.model_validate(_yaml(match["yaml"], 1) if match else None)
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        expected = "expected front matter that names the kernel python3, as in docs/writing-snippets.md"
        raise SnippetError(f"{expected} ({reasons})", 1) from error
    assert match is not None  # noqa: S101 - without one there was nothing to validate
    return front.lab, text[match.end() :], 1 + match[0].count("\n")


def _yaml(text: str, line: int) -> object:
    try:
        value: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SnippetError(f"expected YAML, got {text!r}", line) from error
    return value


def _add(parts: list[Part], block: Block) -> None:
    if parts and isinstance(parts[-1], Prose):
        parts[-1] = Prose((*parts[-1].blocks, block))
    else:
        parts.append(Prose((block,)))


def _cell(directive: Directive, line: int) -> Cell:
    listed = _yaml(directive.options.get("tags", "[]"), line)
    if not isinstance(listed, list):
        raise SnippetError(f"expected a list of tags such as [node-data], got {listed!r}", line)
    tags = tuple(map(str, listed))
    if strange := sorted(set(tags) - set(PLACES) - OTHER_TAGS):
        known = ", ".join([*PLACES, *sorted(OTHER_TAGS)])
        raise SnippetError(f"expected tags among {known}, got {', '.join(strange)}", line)
    unknown = set(directive.options) - {"tags", "id", "alt"}
    if unknown:
        raise SnippetError(f"a code cell has the options tags, id and alt, got {', '.join(sorted(unknown))}", line)
    if not directive.body:
        raise SnippetError("expected some code in this cell, got none", line)
    options = directive.options
    described = _yaml(options["alt"], line) if "alt" in options else None
    picture = None if described is None else str(described)
    return Cell(_said_where(directive.body, tags, line), tags, line, options.get("id"), picture=picture)


def _said_where(source: str, tags: Sequence[str], line: int) -> str:
    """The code with the line that says where it runs: the first one, or the one after a cell magic."""
    places = [tag for tag in tags if tag in PLACES]
    if len(places) != 1:
        got = ", ".join(tags) or "no tags"
        raise SnippetError(f"expected one of the tags {' and '.join(PLACES)} on this code cell, got {got}", line)
    if written := set(PLACES.values()) & set(source.splitlines()):
        raise SnippetError(f"the builder writes the line {written.pop()!r}, from the tag: leave it out", line)
    where = PLACES[places[0]]
    if not source.startswith("%%"):
        return f"{where}\n{source}"
    magic, _, rest = source.partition("\n")
    if magic.removeprefix("%%").split()[0] not in _COMMENTABLE:
        raise SnippetError(f"the line that says where a cell runs cannot stand below {magic!r}: use Python", line)
    return f"{magic}\n{where}\n{rest}"


def _expecting(part: Part, directive: Directive, line: int) -> Cell:
    """The cell with its expected output."""
    if not isinstance(part, Cell) or part.expected is not None:
        raise SnippetError("an expected output must follow its code cell directly, once", line)
    return replace(part, expected=f"{directive.body}\n")
