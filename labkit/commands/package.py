"""`./lab package`: the lab as one file for students, ready for the portal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from labkit.paths import ROOT

if TYPE_CHECKING:
    from labkit.book.package import Package

Ref = Annotated[
    str | None,
    typer.Option(help="commit, branch or tag to pack; HEAD when none is named, and then nothing may be uncommitted"),
]
Out = Annotated[Path | None, typer.Option(help="the file; in build/ when none is named", show_default=False)]

NEXT = """
To publish from GitHub: push this commit to the default branch, whose newest commit the portal takes, and give the
  repository's address to https://trovi.chameleoncloud.org/dashboard/artifacts/add. Later: Edit → Import Version.
To publish this file: upload it to https://jupyter.chameleoncloud.org, unpack it in a new folder with tar -xzf, select
  that folder, and choose Share → Package as a new artifact. Later: Share → Create new artifact version.
Either is private until you share it. Students press Launch on its page, and open {begin}.
More: docs/instructors.md, "Publish it on Trovi"."""


def command(ref: Ref = None, out: Out = None) -> None:
    """Pack what students get, from a commit: without solutions, and without the passwords of this machine."""
    from labkit.book.build import Book
    from labkit.book.errors import PackageError, SnippetError
    from labkit.book.package import make

    try:
        package = make(ROOT, Book(ROOT).secrets(), ref, out)
    except (PackageError, SnippetError) as error:
        Console(stderr=True, markup=False, soft_wrap=True).print(f"lab: {error}", style="red")
        raise typer.Exit(2) from None
    print(_told(package))


def _told(package: "Package") -> str:
    """What was made, and what to do with it."""
    lines = [
        f"made    {package.file}",
        f"commit  {package.commit}",
        f"holds   {package.files} files, {_megabytes(package.unpacked)}; packed {_megabytes(package.packed)}",
        f"sha256  {package.sha256}",
    ]
    if not package.facts.authors:
        lines.append("note    docs/artifact.yaml names no authors yet: the portal would show none")
    return "\n".join([*lines, NEXT.format(begin=package.facts.begin)])


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"
