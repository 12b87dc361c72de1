"""MyST Markdown as blocks: fences with what is in them, and the text between."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from labkit.book.errors import SnippetError

# Only blocks matter here; what is inside of a line is left to whoever shows it.
_MARKDOWN = MarkdownIt("commonmark").use(colon_fence_plugin).use(myst_block_plugin)
_MARKDOWN.disable(["inline", "text_join"], ignoreInvalid=True)
_UNSEEN = ("myst_block_break", "myst_line_comment")
"""`+++`, which jupytext writes between cells of text, and `% a comment`: neither is for readers."""

_NESTED = "a directive stands by itself, not in a list or a block quote: move it out"
_NOT_PLAIN = {
    "fence": _NESTED,
    "colon_fence": _NESTED,
    "myst_target": "notebooks cannot show a label such as '(name)=': link to a stage instead",
}
_DIRECTIVE = re.compile(r"^\{(?P<name>[\w-]+)\}\s*(?P<argument>.*)$")
_OPTION = re.compile(r"^:(?P<key>[\w-]+):(?:[ \t]+(?P<value>.*))?$")


@dataclass(frozen=True)
class Text:
    """Lines of Markdown outside of any fence, without the blank lines around them; `line` counts from 1."""

    text: str
    line: int


@dataclass(frozen=True)
class Directive:
    """What a fence such as ```` ```{note} ```` asks for; `line` is the first of the body."""

    name: str
    argument: str
    options: Mapping[str, str]
    body: str
    line: int


@dataclass(frozen=True)
class Fence:
    """Lines between two markers, and the same lines with the markers as `raw`; `line` is that of the opening one."""

    info: str
    body: str
    raw: str
    line: int
    indent: int = 0

    def directive(self) -> Directive | None:
        """The directive, or None for a fence that is only a quotation in some language.

        Raises:
            SnippetError: its options are not YAML.
        """
        match = _DIRECTIVE.match(self.info)
        if not match:
            return None
        options, body = _options(self.body.split("\n"), self.line)
        skipped = len(self.body.split("\n")) - len(body)
        text = "\n".join(body)
        lead = len(text) - len(text.lstrip("\n"))
        line = self.line + 1 + skipped + lead
        return Directive(match["name"], match["argument"].strip(), options, text.strip("\n"), line)


Block = Text | Fence


def scan(text: str, first_line: int = 1) -> list[Block]:
    """The blocks of a text whose first line has the number `first_line`.

    Raises:
        SnippetError: a fence is opened and never closed, a directive is part of a list or a quotation, or there is a
            label, which plain Markdown has not.
    """
    lines = text.split("\n")
    blocks: list[Block] = []
    start = 0
    for token in _MARKDOWN.parse(text):
        is_fence = token.type in ("fence", "colon_fence")
        if token.map and (token.type == "myst_target" or (is_fence and token.level and _DIRECTIVE.match(token.info))):
            raise SnippetError(_NOT_PLAIN[token.type], first_line + token.map[0])
        if token.map and token.level == 0 and (is_fence or token.type in _UNSEEN):
            blocks += _text(lines, start, token.map[0], first_line)
            blocks += [_fence(token, lines, first_line)] if is_fence else []
            start = token.map[1]
    return blocks + _text(lines, start, len(lines), first_line)


def _fence(token: Token, lines: list[str], first_line: int) -> Fence:
    assert token.map is not None  # noqa: S101 - block tokens have one
    begin, end = token.map
    # A fence that is never closed reaches to the end of the text, and its last line is no marker.
    if not lines[end - 1].strip().startswith(token.markup) or end - 1 == begin:
        raise SnippetError(f"the fence {lines[begin].strip()!r} is never closed", first_line + begin)
    body, raw = "\n".join(lines[begin + 1 : end - 1]), "\n".join(lines[begin:end])
    indent = len(lines[begin]) - len(lines[begin].lstrip(" "))
    return Fence(token.info.strip(), body, raw, first_line + begin, indent)


def fenced(text: str, language: str) -> str:
    """A fence around a text, longer than any that is in it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    marker = "`" * (longest + 1)
    return f"{marker}{language}\n{text}\n{marker}"


def _text(lines: list[str], start: int, end: int, first_line: int) -> list[Block]:
    """The text from `start` to `end` as no or one block."""
    while start < end and not lines[start].strip():
        start += 1
    text = "\n".join(lines[start:end]).rstrip()
    return [Text(text, first_line + start)] if text else []


def _options(lines: list[str], line: int) -> tuple[dict[str, str], list[str]]:
    """The options of a directive, `:key: value` or YAML between two `---`, and the rest of its lines."""
    if lines and lines[0].strip() == "---":
        if "---" not in lines[1:]:
            raise SnippetError("the options begin with '---' and never end", line + 1)
        end = lines.index("---", 1)
        return _as_strings("\n".join(lines[1:end]), line + 1), lines[end + 1 :]
    found: dict[str, str] = {}
    for number, text in enumerate(lines):
        match = _OPTION.match(text)
        if not match:
            return found, lines[number:]
        found[match["key"]] = (match["value"] or "").strip()
    return found, []


def _as_strings(text: str, line: int) -> dict[str, str]:
    try:
        values = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SnippetError(f"the options are not YAML: {error}", line) from error
    return {
        key: f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
        for key, value in values.items()
    }
