"""Build everything that is made from the snippets, or say what is stale."""

from collections.abc import Mapping
from pathlib import Path

from labkit.book import notebooks, snippets
from labkit.book.errors import SnippetError
from labkit.book.page import one_page

SHORTEST_SECRET = 12
"""Shorter values of docker/.env are names, which may be written anywhere."""


def render(root: Path) -> dict[Path, str]:
    """The text of every generated file, by its path."""
    stages = [snippets.read(file, root) for file in sorted((root / "snippets").glob("[0-9]_*.md"))]
    names = {stage.name for stage in stages}
    files = {root / "notebooks" / f"{one.name}.ipynb": notebooks.for_students(one, names) for one in stages}
    files[root / "index.md"] = one_page(stages)
    files |= {root / "build/nbval" / f"{one.name}.ipynb": notebooks.for_nbval(one) for one in stages}
    return files


def committed(file: Path, root: Path) -> bool:
    """Whether a generated file is kept in git."""
    return not file.is_relative_to(root / "build")


def stale(files: Mapping[Path, str], root: Path) -> list[Path]:
    """Committed files that differ from what would be generated, and generated notebooks without a snippet."""
    changed = [
        file
        for file, text in files.items()
        if committed(file, root) and (not file.exists() or file.read_text() != text)
    ]
    return changed + [file for file in sorted((root / "notebooks").glob("*.ipynb")) if file not in files]


def refuse_secrets(files: Mapping[Path, str], settings: Mapping[str, str]) -> None:
    """Stop before a generated password gets into a file that others will see.

    Raises:
        SnippetError: naming the file and the setting, never the value.
    """
    for file, text in files.items():
        for name, value in settings.items():
            if len(value) >= SHORTEST_SECRET and value in text:
                raise SnippetError(f"{file.name} would contain the value of {name} from docker/.env")


def write(files: Mapping[Path, str], root: Path) -> None:
    """Write all files, and remove notebooks that have no snippet any more."""
    for file in stale(files, root):
        if file not in files:
            file.unlink()
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
