"""`./lab pack`: what a student takes along, in one archive."""

from pathlib import Path
from typing import Annotated

import typer

from labkit.commands.options import Place
from labkit.paths import BUILD
from labkit.stack import Stack

File = Annotated[Path, typer.Argument(help="the archive to write")]


def command(file: File = BUILD / "my-lab.tar.gz", place: Place = None) -> None:
    """Pack your notebooks, your own files, reports, progress and models into one archive."""
    from labkit.chameleon.transfer import NOT_ALL
    from labkit.pack import pack

    stack = Stack(place=place)
    packed = pack(stack, file)
    for name, count in packed.counts.items():
        print(f"{name:12} {count:5} files")
    print(f"{file}: {packed.size / 1e6:.1f} MB, SHA-256 {packed.checksum}")
    if packed.missing:
        print(f"NOT packed: {', '.join(stack.kept())}, for object storage does not answer ({packed.missing})")
        raise typer.Exit(NOT_ALL)
