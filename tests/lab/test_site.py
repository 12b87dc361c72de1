"""The website: built as ./build_docs.sh builds it, and looked at in a browser as its readers do."""

import filecmp
import functools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from labkit.book.build import Book
from labkit.book.errors import SnippetError
from labkit.paths import ROOT
from labkit.site.build import Site
from tests.lab.lab_runs import lab_run, loaded_from_elsewhere
from tests.support.accessibility import violations
from tests.support.chromium import Chromium, program
from tests.unit.labkit.book.small_lab import PASSWORD, make_lab
from tests.unit.labkit.book.test_solutions import EXERCISE, RIGHT, WRONG, with_solutions

NARROW, WIDE = 390, 1440

needs_chromium = pytest.mark.skipif(
    program() is None, reason="no Chromium on this machine: the pages were not looked at"
)


def site_of(root: Path, work: Path) -> Site:
    book = Book(root)
    return Site(root, book.snippets(), book.secrets(), work)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the lab's own site."""
    built = site_of(ROOT, tmp_path_factory.mktemp("site"))
    built.build()
    return built.output


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site on a server of its own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def pages(site: Path) -> list[str]:
    return sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html") if "_static" not in file.parts)


def small_site(root: Path, **docs: str) -> Site:
    """The site of a lab with one stage, and with these pages."""
    make_lab(root)
    (root / "docker/docker-compose.yaml").write_text("services: {}\n")
    (root / "README.md").write_text("# Small\n\n## Commands\n\n`./lab`\n")
    (root / "docs").mkdir()
    (root / "docs/conf.py").write_text(
        "extensions = ['myst_nb']\nnb_execution_mode = 'off'\nexclude_patterns = ['stages/*.txt']\n"
    )
    (root / "docs/site.yaml").write_text("settings: []\n")
    contents = "\n".join(["stages/0_start", "reference/services", "reference/settings", "reference/commands", *docs])
    (root / "docs/index.md").write_text(f"# Small\n\n```{{toctree}}\n{contents}\n```\n")
    for name, text in docs.items():
        (root / f"docs/{name}.md").write_text(text)
    return site_of(root, root / "build")


def test_two_builds_are_the_same_byte_by_byte(site: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    again = site_of(ROOT, tmp_path_factory.mktemp("site"))
    again.build()
    files = sorted(file.relative_to(site) for file in site.rglob("*") if file.is_file())
    assert files == sorted(file.relative_to(again.output) for file in again.output.rglob("*") if file.is_file())
    _, different, missing = filecmp.cmpfiles(site, again.output, [str(file) for file in files], shallow=False)
    assert (different, missing) == ([], [])


def test_every_stage_and_page_is_there(site: Path) -> None:
    stages = {f"stages/{file.stem}.html" for file in (ROOT / "notebooks").glob("*.ipynb")}
    reference = {f"reference/{name}.html" for name in ("commands", "services", "settings")}
    written = {
        f"{file.relative_to(ROOT / 'docs').with_suffix('').as_posix()}.html" for file in (ROOT / "docs").rglob("*.md")
    }
    assert stages | reference | written <= set(pages(site))


def test_no_link_leads_nowhere(site: Path) -> None:
    lychee = Path(sys.executable).with_name("lychee")
    flags = ["--offline", "--include-fragments", "--no-progress", "--exclude-path=_static", f"--root-dir={site}"]
    looked = subprocess.run([lychee, *flags, str(site)], capture_output=True, text=True, check=False, timeout=120)
    assert looked.returncode == 0, looked.stdout[-3000:]
    assert int(re.findall(r"([\d,]+) Total", looked.stdout)[0].replace(",", "")) > 1000


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    assert [
        found for folder in {file.parent for file in site.rglob("*.html")} for found in loaded_from_elsewhere(folder)
    ] == []


def test_no_page_names_a_folder_of_this_machine(site: Path) -> None:
    assert [page for page in pages(site) if str(ROOT) in (site / page).read_text()] == []


def test_each_stage_shows_what_its_cells_printed(site: Path) -> None:
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        page = (site / f"stages/{file.stem}.html").read_text()
        assert page.count("cell_output") > 3, file.stem
        assert "✓" in page


@needs_chromium
@pytest.mark.parametrize(("width", "dark"), [(NARROW, False), (WIDE, True)])
def test_a_browser_shows_all_pages_without_trouble(address: str, site: Path, width: int, dark: bool) -> None:
    troubles: list[str] = []
    with Chromium(width, dark=dark) as browser:
        for page in pages(site):
            browser.open(f"{address}/{page}")
            browser.wait_until(f"location.pathname === '/{page}' && document.readyState === 'complete'")
            if browser.ask("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                troubles.append(f"{page} is wider than {width} pixels")
            troubles += [f"{page}: {one}" for one in violations(browser)]
        troubles += browser.problems
        troubles += [url for url in browser.requests if not url.startswith((address, "data:"))]
    assert troubles == []


@needs_chromium
def test_the_search_finds_a_word(address: str) -> None:
    with Chromium(WIDE) as browser:
        browser.open(f"{address}/search.html?q=watermark")
        browser.wait_until("document.querySelectorAll('#search-results li').length > 0")


def test_a_dead_link_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SnippetError, match="nowhere"):
        small_site(tmp_path, other="# Other\n\n[a page](nowhere.md)\n").build()


def test_a_password_in_a_page_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SnippetError, match=r"contains the value of DB_PASSWORD") as refused:
        small_site(tmp_path, other=f"# Other\n\n{PASSWORD}\n").build()
    assert PASSWORD not in str(refused.value)


def test_a_password_that_only_the_made_pages_show_stops_the_build(tmp_path: Path) -> None:
    site = small_site(tmp_path)
    with (tmp_path / "docs/conf.py").open("a") as settings:
        settings.write(f"html_title = {PASSWORD!r}\n")
    with pytest.raises(SnippetError, match=r"contains the value of DB_PASSWORD"):
        site.build()


def test_a_diagram_without_words_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SnippetError, match=r"docs/other\.md: a diagram says in words"):
        small_site(tmp_path, other="# Other\n\n```mermaid\nflowchart LR\na --> b\n```\n").build()


@pytest.mark.parametrize(
    ("solutions", "said"),
    [
        (RIGHT + WRONG, ""),
        (RIGHT.replace("42", "43") + WRONG, "expected solved, but exercise 0.1 is wrong"),
        (RIGHT + WRONG.replace("41", "42"), "expected wrong, but exercise 0.1 is solved"),
    ],
)
def test_a_wrong_solution_and_a_check_that_takes_anything_fail_a_run(tmp_path: Path, solutions: str, said: str) -> None:
    exercise = EXERCISE.replace("answer = ...", "from labkit import lab\n\nanswer = ...")
    solutions = solutions.replace("answer = ", "from labkit import lab\n\nanswer = ")
    root = with_solutions(make_lab(tmp_path, _0_start=f"# Start\n{exercise}"), solutions)
    Book(root).write(Book(root).render())
    ended = lab_run(tmp_path / "runs", "--notebooks", str(root / "build/solved"))
    assert (ended.code == 0) == (not said), ended.output
    assert said in ended.output
