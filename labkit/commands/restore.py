"""`./lab restore FILE`: go on with a lab that was saved, here or elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from labkit.commands.options import Place
from labkit.stack import Stack

File = Annotated[Path, typer.Argument(help="what `./lab save` has written", exists=True, dir_okay=False)]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]


def command(file: File, place: Place = None, yes: Yes = False) -> None:
    """Put a saved lab in the place of this one, whose data are deleted, and start what ran when it was saved.

    Restore only what you or somebody you trust has saved: models in it are signed anew, and models are programs.
    """
    from labkit import state

    stack = Stack(place=place)
    archive = state.Archive.read(file)
    for line in state.told(archive.manifest):
        print(line)
    if not yes:
        typer.confirm("Delete everything that this lab holds, and put that in its place?", abort=True)
    for one in state.restore(stack, archive):
        print(one)
    print("Rows, offsets, keys and objects are those of the archive.")
