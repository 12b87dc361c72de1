"""`python -m labkit.book [--check]`: what ./build_docs.sh runs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.book.build import Book
from labkit.book.errors import SnippetError
from labkit.paths import BUILD, ROOT

if TYPE_CHECKING:
    from labkit.site.build import Site

LATEST_RUN = BUILD / "runs/latest"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Build, or with `--check` say what is stale; returns 0 when all is well, else 1."""
    asked = _parser().parse_args(arguments)
    book = Book(root)
    try:
        if asked.record:
            _site(book).record(asked.record)
        passed = _check(book) if asked.check else _build(book)
        if passed and not asked.notebooks and (root / "docs/conf.py").exists():
            passed = _make_site(book, check=asked.check)
    except SnippetError as error:
        print(f"build_docs: {error}", file=sys.stderr)
        return 1
    return int(not passed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="build_docs.sh", description="Make notebooks, index.md, trovi.json and the site from snippets/ and docs/."
    )
    parser.add_argument("--check", action="store_true", help="change nothing that is kept; fail when it is stale")
    parser.add_argument("--notebooks", action="store_true", help="all but the site")
    parser.add_argument(
        "--record", nargs="?", type=Path, const=LATEST_RUN, metavar="RUN",
        help="first take the outputs of a full run (the latest, or the one in this folder) for the site",
    )  # fmt: skip
    return parser


def _build(book: Book) -> bool:
    files = book.render()
    for file in book.write(files):
        print(f"{'wrote  ' if file in files else 'removed'} {file.relative_to(book.root)}")
    print(f"{len(files)} files are up to date")
    return True


def _check(book: Book) -> bool:
    files = book.render()
    stale = book.stale(files)
    for file in stale:
        print(f"build_docs: stale: {file.relative_to(book.root)}", file=sys.stderr)
    if stale:
        print("build_docs: run ./build_docs.sh and commit what it changes", file=sys.stderr)
        return False
    print(f"{len(files)} files are up to date")
    return True


def _site(book: Book) -> "Site":
    from labkit.site.build import Site  # Sphinx takes a while

    return Site(book.root, book.snippets(), book.secrets(), book.root / "build")


def _make_site(book: Book, *, check: bool) -> bool:
    """Build the site, and name cells whose outputs are stale; with `check`, those are a failure."""
    site = _site(book)
    stale = site.stale()
    for cell in stale:
        print(f"build_docs: {cell}", file=sys.stderr)
    if stale:
        print("build_docs: run ./lab run, then ./build_docs.sh --record, and commit docs/outputs", file=sys.stderr)
    site.build()
    print(f"the site is at {site.output / 'index.html'}")
    return not (check and stale)


if __name__ == "__main__":
    sys.exit(main())
