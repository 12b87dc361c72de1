"""Code that a snippet quotes: pulled from its file by a named region, so that it is never a copy."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from labkit.book.errors import SnippetError

# The directive is Sphinx's own, so the same snippet works there.
_QUOTE = re.compile(r"^```\{literalinclude\} (?P<file>\S+)\n(?P<options>(?::[\w-]+:.*\n)*)```$", re.MULTILINE)
_OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Region:
    """Lines of a file between two markers, each alone on its line in a comment."""

    file: Path
    start: str
    end: str
    dedent: bool = False

    def text(self) -> str:
        """The lines.

        Raises:
            SnippetError: the file or a marker is missing, or a marker stands there twice.
        """
        if not self.file.is_file():
            raise SnippetError(f"expected a file {self.file.name} to quote, found none at {self.file}")
        lines = self.file.read_text().splitlines()
        start, end = self._find(lines, self.start), self._find(lines, self.end)
        text = "\n".join(lines[start + 1 : end])
        return textwrap.dedent(text) if self.dedent else text

    def _find(self, lines: list[str], marker: str) -> int:
        # Sphinx takes the first line that contains the marker, so a marker that is part of another is not allowed.
        found = [number for number, line in enumerate(lines) if marker in line]
        if len(found) != 1:
            raise SnippetError(f"expected the marker {marker!r} once in {self.file.name}, found it {len(found)} times")
        return found[0]


def expand(text: str, folder: Path, root: Path) -> str:
    """The text with every quotation replaced by the lines quoted, and a line that says where they are from."""

    def quoted(match: re.Match[str]) -> str:
        options = dict(_OPTION.findall(match["options"]))
        file = (folder / match["file"]).resolve()
        missing = {"start-after", "end-before", "language"} - set(options)
        if missing:
            raise SnippetError(f"a quotation of {match['file']} needs the options {', '.join(sorted(missing))}")
        region = Region(file, options["start-after"], options["end-before"], "dedent" in options)
        return f"```{options['language']}\n{region.text()}\n```\n\n*From `{file.relative_to(root)}`.*"

    return _QUOTE.sub(quoted, text)
