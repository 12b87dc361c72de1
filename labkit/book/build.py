"""Build everything that is made from the snippets, or say what is stale."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from labkit.book import artifact, leaks
from labkit.book.errors import SnippetError, in_file
from labkit.book.links import Links, Target
from labkit.book.notebooks import for_nbval, for_solving, for_students
from labkit.book.page import one_page
from labkit.book.prose import Renderer
from labkit.book.snippets import Snippet, read_all
from labkit.book.solutions import read_answers


@dataclass(frozen=True)
class Book:
    """What is made from the snippets of the lab at `root`: notebooks/, index.md, trovi.json, build/nbval|solved/."""

    root: Path

    def render(self) -> dict[Path, str]:
        """The text of every generated file, by its path.

        Raises:
            SnippetError: a snippet cannot be built, or there is none, or a password would get out.
        """
        snippets = self.snippets()
        names = {snippet.name for snippet in snippets}
        files: dict[Path, str] = {}
        for snippet in snippets:
            with in_file(f"snippets/{snippet.name}.md"):
                files |= self._notebooks(snippet, names)
        files[self.root / "index.md"] = one_page(snippets, self._renderer(names, Target(self.root, _anchor)))
        files |= self._artifact(snippets)
        leaks.refuse(files.items(), self.secrets())
        return files

    def snippets(self) -> list[Snippet]:
        """All stages of the lab, in order.

        Raises:
            SnippetError: one of them cannot be read, or there is none.
        """
        found = read_all(self.root / "snippets")
        if not found:
            raise SnippetError(f"expected snippets such as 0_intro.md in {self.root / 'snippets'}, found none")
        return found

    def secrets(self) -> dict[str, str]:
        """What nobody may see, by the names of the settings in docker/.env."""
        docker = self.root / "docker"
        return leaks.secret_settings(_settings(docker / ".env"), _settings(docker / "env.template"))

    def stale(self, files: Mapping[Path, str]) -> list[Path]:
        """Generated files kept in git that differ from `files`, and notebooks that have no snippet any more.

        Raises:
            SnippetError: one of them holds a password, such as a notebook that was run and saved.
        """
        found = [file for file, text in files.items() if self._kept(file) and _read(file) != text]
        found += self._orphans(files)
        leaks.refuse(((file, _read(file) or "") for file in found), self.secrets())
        return sorted(found)

    def write(self, files: Mapping[Path, str]) -> list[Path]:
        """Write what changed, remove notebooks that have no snippet any more, and return the paths of both."""
        changed = {file: text for file, text in files.items() if _read(file) != text}
        for file, text in changed.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        orphans = list(self._orphans(files))
        for file in orphans:
            file.unlink()
        return [*changed, *orphans]

    def _renderer(self, names: set[str], target: Target) -> Renderer:
        return Renderer(self.root, Links(self.root / "snippets", names, target))

    def _notebooks(self, snippet: Snippet, names: set[str]) -> dict[Path, str]:
        folder = self.root / "notebooks"
        return {
            folder / f"{snippet.name}.ipynb": for_students(snippet, self._renderer(names, Target(folder, _notebook))),
            self.root / "build/nbval" / f"{snippet.name}.ipynb": for_nbval(snippet),
        } | self._solved(snippet, names)

    def _solved(self, snippet: Snippet, names: set[str]) -> dict[Path, str]:
        """The notebook with its exercises solved, where there are solutions: a student's copy may have none."""
        folder = self.root / "solutions"
        if not folder.is_dir():
            return {}
        solved = self.root / "build/solved"
        renderer = self._renderer(names, Target(solved, _notebook))
        return {solved / f"{snippet.name}.ipynb": for_solving(snippet, renderer, read_answers(folder, snippet))}

    def _artifact(self, snippets: list[Snippet]) -> dict[Path, str]:
        """What a portal for artifacts shows, where docs/artifact.yaml says it."""
        facts = artifact.read_facts(self.root)
        return {self.root / artifact.CRATE: artifact.crate_text(facts, snippets)} if facts else {}

    def _kept(self, file: Path) -> bool:
        return not file.is_relative_to(self.root / "build")

    def _orphans(self, files: Mapping[Path, str]) -> Iterator[Path]:
        for folder in ("notebooks", "build/nbval", "build/solved"):
            yield from (file for file in sorted((self.root / folder).glob("*.ipynb")) if file not in files)


def _notebook(stage: str) -> str:
    return f"{stage}.ipynb"


def _anchor(stage: str) -> str:
    return f"#{stage}"


def _read(file: Path) -> str | None:
    return file.read_bytes().decode() if file.exists() else None


def _settings(file: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(file, interpolate=False).items()}
