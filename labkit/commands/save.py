"""`./lab save FILE`: all that the lab holds, in one archive."""

from pathlib import Path
from typing import Annotated

import typer

from labkit.commands.options import Place
from labkit.paths import BUILD, STATE_ARCHIVE
from labkit.stack import Stack

File = Annotated[Path, typer.Argument(help="the archive to write")]


def command(file: File = BUILD / STATE_ARCHIVE, place: Place = None) -> None:
    """Save everything that the lab holds, to go on with it elsewhere: data, topics, counts, models; no passwords."""
    from labkit import state

    archive = state.save(Stack(place=place), file)
    for line in state.told(archive.manifest):
        print(line)
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB. It holds all that people have written here, and no password.")
