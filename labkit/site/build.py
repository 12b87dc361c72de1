"""Gathers the pages of the site in one folder, and lets Sphinx make HTML of them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from labkit.book import leaks
from labkit.book.errors import SnippetError, in_file
from labkit.book.links import Links, Target
from labkit.book.snippets import Snippet
from labkit.site import causes, http, services, settings, versions
from labkit.site.diagrams import Diagrams
from labkit.site.pages import PageRenderer, pictures
from labkit.site.record import Recorder
from labkit.site.recorded import Recording
from labkit.site.scrub import Scrubber
from labkit.site.stages import StagePage
from labkit.stack.compose_file import ComposeFile

STAGES, REFERENCE = "stages", "reference"

_FIXED = {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
"""What two builds must have in common to be the same, byte by byte."""


@dataclass(frozen=True)
class Site:
    """The site of the lab at `root`, built below the folder `work`: pages are gathered there, and made into HTML."""

    root: Path
    snippets: Sequence[Snippet]
    secrets: dict[str, str]
    work: Path

    @property
    def source(self) -> Path:
        """Where the pages are before Sphinx reads them."""
        return self.work / "site-source"

    @property
    def output(self) -> Path:
        """Where the site is."""
        return self.work / "site"

    @property
    def diagrams(self) -> Diagrams:
        """Where diagrams are drawn."""
        return Diagrams(self.source, self.root / "build/cache/diagrams")

    @property
    def recording(self) -> Recording:
        """The outputs of the last full run."""
        return Recording(self.root / "docs/outputs")

    def build(self) -> None:
        """Make the site anew.

        Raises:
            SnippetError: a page cannot be made, a password would get out, or Sphinx warns of anything.
        """
        self.gather()
        shutil.rmtree(self.output, ignore_errors=True)
        argv = [sys.executable, "-m", "sphinx", "--fresh-env", "--fail-on-warning", "--keep-going", "--quiet"]
        argv += ["--builder", "html", "--doctree-dir", str(self.work / "site-doctrees")]
        made = subprocess.run(
            [*argv, str(self.source), str(self.output)],
            env=os.environ | _FIXED,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise SnippetError(f"Sphinx could not make the site:\n{made.stderr or made.stdout}")
        self._refuse_leaks(self.output, ".html")  # autodoc shows values that are in no page's source
        (self.output / ".nojekyll").touch()  # GitHub Pages shall take folders that begin with _ as well

    def record(self, run: Path) -> None:
        """Take the outputs of a run in place of those that are kept.

        Raises:
            SnippetError: there is no such run, or not everything ran.
        """
        if not (run / "run.json").exists():
            raise SnippetError(f"expected the folder of a run that has ended, got {run}: ./lab run makes one")
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))
        ports = ComposeFile(self.root / "docker/docker-compose.yaml").ports.values()
        secrets = self.secrets | about.get("secrets", {})
        scrubber = Scrubber(self.root, secrets, ports, about["port_offset"])
        Recorder(self.recording.folder, scrubber).record(list(self.snippets), run)

    def stale(self) -> list[str]:
        """Cells whose recorded outputs are not those of their present code, as sentences."""
        place = self.recording.about().get("place", "embedded")
        return [
            sentence
            for snippet in self.snippets
            for sentence in self.recording.stage(snippet.name).stale(snippet, place)
        ]

    def gather(self) -> None:
        """Write all pages into `source`: those of docs/, the stages, and what is made from the code."""
        shutil.rmtree(self.source, ignore_errors=True)
        shutil.copytree(self.root / "docs", self.source, ignore=shutil.ignore_patterns("outputs", "site.yaml"))
        for page in self.source.rglob("*.md"):
            with in_file(f"docs/{page.relative_to(self.source)}"):
                page.write_text(self._seen_from_source(page), encoding="utf-8")
        for name, text in self._made():
            file = self.source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self._refuse_leaks(self.source, ".md", ".ipynb")

    def _refuse_leaks(self, folder: Path, *endings: str) -> None:
        pages = [file for file in folder.rglob("*") if file.suffix in endings]
        leaks.refuse(((file, file.read_text(encoding="utf-8")) for file in pages), self.secrets)

    def _made(self) -> Iterator[tuple[str, str]]:
        configuration = yaml.safe_load((self.root / "docs/site.yaml").read_text(encoding="utf-8"))
        names = {snippet.name for snippet in self.snippets}
        links = Links(self.root / "snippets", names, Target(self.source / STAGES, _page_of))
        for snippet in self.snippets:
            with in_file(f"snippets/{snippet.name}.md"):
                renderer = PageRenderer(self.root, links, self.diagrams)
                yield f"{STAGES}/{snippet.name}.ipynb", StagePage(snippet, renderer, self.recording).text()
        yield f"{STAGES}/table.txt", self._table()
        yield f"{STAGES}/contents.txt", self._contents()
        yield f"{REFERENCE}/services.md", services.page(self.root / "docker/docker-compose.yaml")
        yield f"{REFERENCE}/settings.md", settings.page(configuration["settings"])
        if any(snippet.is_for_portal for snippet in self.snippets):
            yield f"{REFERENCE}/chameleon.md", causes.page()
        if calls := configuration.get("http"):
            yield f"{REFERENCE}/http.md", http.page(**calls)
        yield f"{REFERENCE}/commands.md", self._commands()
        if (self.root / "docs/versions.yaml").exists():
            yield f"{REFERENCE}/versions.md", versions.page()

    def _table(self) -> str:
        """The stages with what they take, for the first page."""
        rows = ["| Stage | Minutes to read and run | Seconds its cells take | Before it |", "| --- | --- | --- | --- |"]
        for snippet in self.snippets:
            seconds = self.recording.stage(snippet.name).seconds
            before = ", ".join(name.partition("_")[0] for name in snippet.needs) or "none"
            link = f"[{_short(snippet.title)}](/{STAGES}/{snippet.name})"
            rows.append(f"| {link} | {snippet.minutes} | {f'{seconds:.0f}' if seconds else 'none'} | {before} |")
        return "\n".join([*rows, "", _told(self.recording.about()), ""])

    def _contents(self) -> str:
        """The stages for the list of pages at the side, which has little room."""
        lines = [f"{_short(snippet.title)} </{STAGES}/{snippet.name}>" for snippet in self.snippets]
        return "\n".join(["```{toctree}", ":hidden:", ":caption: The lab", "", *lines, "```", ""])

    def _commands(self) -> str:
        """The commands, from the README."""
        readme = (self.root / "README.md").read_text(encoding="utf-8")
        section = re.search(r"^## Commands\n(.*?)(?=^## |\Z)", readme, re.M | re.S)
        if not section:
            raise SnippetError("expected a section '## Commands' in README.md, found none")
        return f"# Commands\n{_links(section[1], self.root, self.root, self.source / REFERENCE)}"

    def _seen_from_source(self, page: Path) -> str:
        folder = self.root / "docs" / page.parent.relative_to(self.source)
        text = _DIAGRAM.sub(lambda found: pictures(found[1], self.diagrams), page.read_text(encoding="utf-8"))
        return _links(text, folder, self.root, page.parent)


def _short(title: str) -> str:
    """A title without the name of the lab before its part."""
    part = title.partition(", part ")[2]
    return f"Part {part}" if part else title


def _told(about: Mapping[str, str]) -> str:
    """When and where the run was made; nothing before the first."""
    if not about:
        return ""
    return f"The last full run began on {about['started']}, on {about['machine']}, in the place `{about['place']}`."


def _page_of(stage: str) -> str:
    return f"{stage}.ipynb"


_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.M | re.S)
# Code comes first, so that links that it quotes are left alone.
_LINK = re.compile(
    r"(?P<code>^(`{3,})[^\n]*\n.*?^\2|`[^`\n]+`)|(?<=\]\()(?![a-z]+:|#|/)(?P<path>[^)#\s]+)", re.M | re.S
)


def _links(text: str, folder: Path, root: Path, page_folder: Path) -> str:
    """The text of a page of `folder` with its links right for `page_folder`, to pages of docs/ and to other files."""
    docs = root / "docs"

    def seen(match: re.Match[str]) -> str:
        if match["code"]:
            return match["code"]
        file = Path(os.path.normpath(folder / match["path"]))
        if file.is_relative_to(docs):
            return f"/{file.relative_to(docs).as_posix()}"
        return Path(os.path.relpath(file, page_folder)).as_posix()

    return _LINK.sub(seen, text)
