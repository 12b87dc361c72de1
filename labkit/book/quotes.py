"""Code that a snippet quotes: pulled from its file by a named region, so that it is never a copy."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

from labkit.book.blocks import Directive, fenced
from labkit.book.errors import SnippetError

REQUIRED = {"start-after", "end-before", "language"}
KNOWN = REQUIRED | {"dedent", "caption"}


@dataclass(frozen=True)
class Region:
    """Lines of a file between two markers, each alone on its line; `dedent` spaces are cut (None: those in common)."""

    file: Path
    start: str
    end: str
    dedent: int | None = 0

    def text(self) -> str:
        """The lines.

        Raises:
            SnippetError: the file or a marker is missing, or a marker stands there twice.
        """
        if not self.file.is_file():
            raise SnippetError(f"expected a file {self.file.name} to quote, found none at {self.file}")
        lines = self.file.read_text(encoding="utf-8").splitlines()
        start, end = self._find(lines, self.start), self._find(lines, self.end)
        if start >= end:
            raise SnippetError(f"expected {self.start!r} before {self.end!r} in {self.file.name}, found it after")
        quoted = lines[start + 1 : end]
        if self.dedent is None:
            return textwrap.dedent("\n".join(quoted))
        return "\n".join(self._cut(line, self.dedent) for line in quoted)

    def _find(self, lines: list[str], marker: str) -> int:
        # Sphinx takes the first line that contains the marker, so `api` would also find `api_v2`. A marker that stands
        # there once, counted as Sphinx finds it, means the same lines to both.
        found = [number for number, line in enumerate(lines) if marker in line]
        if len(found) != 1:
            raise SnippetError(f"expected the marker {marker!r} once in {self.file.name}, found it {len(found)} times")
        return found[0]

    def _cut(self, line: str, spaces: int) -> str:
        if line[:spaces].strip():
            raise SnippetError(f"cannot cut {spaces} spaces from {line!r} in {self.file.name}: there are fewer")
        return line[spaces:]


def quotation(directive: Directive, folder: Path, root: Path) -> str:
    """What a `literalinclude` in a snippet of `folder` stands for: the lines, and where they are from.

    Raises:
        SnippetError: an option is missing or unknown, or the region is not there.
    """
    options = directive.options
    if missing := REQUIRED - set(options):
        raise SnippetError(f"a quotation of {directive.argument} needs the options {', '.join(sorted(missing))}")
    if unknown := set(options) - KNOWN:
        raise SnippetError(f"a quotation has the options {', '.join(sorted(KNOWN))}, not {', '.join(sorted(unknown))}")
    file = (folder / directive.argument).resolve()
    if not file.is_relative_to(root.resolve()):
        raise SnippetError(f"expected a file of this lab to quote, got {directive.argument}")
    region = Region(file, options["start-after"], options["end-before"], _dedent(options.get("dedent", "0")))
    return f"{fenced(region.text(), options['language'])}\n\n{_source(file, options.get('caption'), root)}"


def _dedent(value: str) -> int | None:
    if value and not value.isdecimal():
        raise SnippetError(f"expected a number of spaces after :dedent:, or nothing, got {value!r}")
    return int(value) if value else None


def _source(file: Path, caption: str | None, root: Path) -> str:
    path = file.relative_to(root.resolve()).as_posix()
    return f"*From `{path}`.*" if caption in {None, path} else f"*{caption}, from `{path}`.*"
