"""`python -m labkit.book [--check]`: what ./build_docs.sh runs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from labkit.book.build import Book
from labkit.book.errors import SnippetError
from labkit.paths import ROOT


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Build, or with `--check` say what is stale; returns 0 when all is well, else 1."""
    parser = argparse.ArgumentParser(prog="build_docs.sh", description="Make notebooks and pages from snippets/.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a generated file is stale")
    book = Book(root)
    try:
        if parser.parse_args(arguments).check:
            return _check(book)
        files = book.render()
        changed = book.write(files)
    except SnippetError as error:
        print(f"build_docs: {error}", file=sys.stderr)
        return 1
    for file in changed:
        print(f"{'wrote  ' if file in files else 'removed'} {file.relative_to(root)}")
    print(f"{len(files)} files are up to date")
    return 0


def _check(book: Book) -> int:
    files = book.render()
    stale = book.stale(files)
    for file in stale:
        print(f"build_docs: stale: {file.relative_to(book.root)}", file=sys.stderr)
    if stale:
        print("build_docs: run ./build_docs.sh and commit what it changes", file=sys.stderr)
        return 1
    print(f"{len(files)} files are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
