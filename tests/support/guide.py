"""What the lab's text tells readers to open, to type and to click, taken from the snippets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from labkit.paths import SNIPPETS

ADDRESS = re.compile(r"http://A\.B\.C\.D:(\d+)((?:/[\w{}-]+)*)")
LINK = re.compile(r"""lab\.link\(["'](\w+)["']\)(?:\}| \+ ")?((?:/\w+)*)""")
SETTING = re.compile(r"""(?:lab|stack)\.setting\(["'](\w+)["']\)""")
LABEL = re.compile(r"\*\*([^*]+)\*\*")


@cache
def stages() -> dict[str, str]:
    """The text of each snippet, by its name."""
    return {path.stem: path.read_text() for path in sorted(SNIPPETS.glob("[0-9]_*.md"))}


class Address(NamedTuple):
    """`http://A.B.C.D:8000/live` in a stage."""

    stage: str
    port: int
    path: str


class Link(NamedTuple):
    """`lab.link("api") + "/live"` in a stage."""

    stage: str
    port: str
    path: str


class Setting(NamedTuple):
    """`lab.setting("STUDENT_DB_PASSWORD")` in a stage."""

    stage: str
    name: str


def addresses() -> Iterator[Address]:
    """Each address in the text."""
    for stage, text in stages().items():
        yield from (Address(stage, int(port), path) for port, path in ADDRESS.findall(text))


def links() -> Iterator[Link]:
    """Each link, in cells and in the text."""
    for stage, text in stages().items():
        yield from (Link(stage, port, path) for port, path in LINK.findall(text))


def settings() -> Iterator[Setting]:
    """Each value of docker/.env that a reader is given."""
    for stage, text in stages().items():
        yield from (Setting(stage, name) for name in SETTING.findall(text))


def cells(text: str) -> list[str]:
    """The code cells of a snippet."""
    return re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", text, re.M | re.S)


def passage(stage: str, start: str, end: str = "```{code-cell}") -> str:
    """The text of a stage from where `start` stands, up to `end` or the next heading."""
    text = stages()[stage]
    assert text.count(start) == 1, f"{stage} has “{start}” {text.count(start)} times, not once"
    rest = text[text.index(start) :]
    return re.split(rf"\n## |\n:::\n|{re.escape(end)}", rest, maxsplit=1)[0]


@dataclass
class Path:
    """What a passage says is to be clicked. Each label is to be used, and nothing else may be."""

    passage: str
    used: set[str] = field(default_factory=set)

    @property
    def labels(self) -> set[str]:
        """What is printed in bold."""
        return {" ".join(label.split()) for label in LABEL.findall(self.passage)}

    def label(self, name: str) -> str:
        """A label of the passage, which counts as used from now on."""
        assert name in self.labels, f"the text does not speak of “{name}”, only of {sorted(self.labels)}"
        self.used.add(name)
        return name

    def says(self, words: str) -> str:
        """Words that the passage must contain, wherever its lines are broken."""
        assert words in " ".join(self.passage.split()), f"the text does not say “{words}”"
        return words
