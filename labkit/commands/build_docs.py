"""`./build_docs.sh [--check]`: notebooks and pages from the snippets."""

import sys
from typing import Annotated

import typer

from labkit.book import build
from labkit.book.errors import SnippetError
from labkit.paths import ROOT
from labkit.stack import secrets


def command(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when a file is stale")] = False,
) -> None:
    """Make notebooks and index.md from snippets/."""
    try:
        files = build.render(ROOT)
        build.refuse_secrets(files, secrets.read())
    except SnippetError as error:
        sys.exit(f"build_docs: {error}")
    if check:
        stale = [str(file.relative_to(ROOT)) for file in build.stale(files, ROOT)]
        if stale:
            sys.exit(f"build_docs: stale: {', '.join(stale)}. Run ./build_docs.sh and commit what it changes.")
    else:
        build.write(files, ROOT)
    print(f"{len(files)} files {'are up to date' if check else 'written'}")
