"""`./lab build-docs`: the same as ./build_docs.sh."""

import sys
from typing import Annotated

import typer


def command(
    check: Annotated[bool, typer.Option("--check", help="write nothing; fail when a generated file is stale")] = False,
) -> None:
    """Make notebooks, index.md, trovi.json and the site from snippets/ and docs/."""
    from labkit.book.__main__ import main

    sys.exit(main(["--check"] if check else []))
