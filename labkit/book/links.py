"""Links and pictures of the lab text, as they are written from the folder of a snippet."""

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from labkit.book.errors import SnippetError

# Code spans come first, so that what they quote is left alone.
_TARGET = re.compile(
    r"(?P<role>\{[a-zA-Z][\w:.+-]*\})(?=`)"
    r"|(?P<definition>^ {0,3}\[[^\]]+\]:)(?=\s)"
    r"|(?P<code>(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<bang>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)(?P<title>\s+\"[^\"]*\")?\)"
    r"|(?P<attribute>\bsrc=\")(?P<source>[^\"]+)\"",
    re.DOTALL | re.MULTILINE,
)
_STAGE = re.compile(r"(?P<name>\d+_\w+)\.md(?P<heading>#.*)?")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|#|/")


@dataclass(frozen=True)
class Target:
    """The place that text is written for: the folder of its file, and how it links to a stage."""

    folder: Path
    stage: Callable[[str], str]


@dataclass(frozen=True)
class Links:
    """Links from the snippets in `snippets`, for a `target`; `stages` are those that exist."""

    snippets: Path
    stages: Collection[str]
    target: Target

    def rewrite(self, text: str, line: int) -> str:
        """The text with every link that is relative to the snippets made right for the target.

        Args:
            text: Markdown without fences.
            line: the number of its first line, for errors.

        Raises:
            SnippetError: a link leads nowhere.
        """

        def replace(match: re.Match[str]) -> str:
            try:
                return self._replaced(match)
            except SnippetError as error:
                raise SnippetError(str(error), line + text[: match.start()].count("\n")) from None

        return _TARGET.sub(replace, text)

    def _replaced(self, match: re.Match[str]) -> str:
        if match["role"]:
            raise SnippetError(f"notebooks cannot show a role such as {match['role']}: write a link or plain Markdown")
        if match["definition"]:
            raise SnippetError(f"write the target into the link itself, [text](target), not as {match['definition']} …")
        if match["code"]:
            return match["code"]
        if match["source"]:
            return f'{match["attribute"]}{self._file(match["source"])}"'
        stage = _STAGE.fullmatch(match["target"])
        if not stage:
            return f"{match['bang']}[{match['text']}]({self._file(match['target'])}{match['title'] or ''})"
        if stage["heading"]:
            raise SnippetError(f"link to the stage, not to {stage['heading']}: notebooks and pages name headings apart")
        # A stage that is not written yet may be named, and becomes a link once it is there.
        known = stage["name"] in self.stages
        return f"[{match['text']}]({self.target.stage(stage['name'])})" if known else match["text"]

    def _file(self, link: str) -> str:
        if _ELSEWHERE.match(link):
            return link
        path, hash_sign, fragment = link.partition("#")
        file = self.snippets / path
        if not file.exists():
            raise SnippetError(f"expected a file at {link!r}, seen from {self.snippets.name}/, found none")
        relative = os.path.relpath(file, self.target.folder)
        return Path(relative).as_posix() + hash_sign + fragment
