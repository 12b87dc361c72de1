"""`./lab check-notebooks`: run the notebooks with nbval, against the outputs that the text promises."""

import subprocess
from typing import Annotated

import typer
from rich.console import Console

from labkit.commands.options import Place
from labkit.paths import ROOT
from labkit.runner.errors import RunError

Only = Annotated[str, typer.Option(help="numbers of notebooks, such as 2-5 or 2,3", show_default=False)]


def command(place: Place = None, only: Only = "") -> None:
    """Run the notebooks and compare what cells print with what the text says they print."""
    from labkit.runner.nbval_check import check
    from labkit.stack import machine

    console = Console(highlight=False, soft_wrap=True, markup=False)
    if subprocess.run([ROOT / "build_docs.sh", "--notebooks"], check=False).returncode:
        raise typer.Exit(2)
    try:
        passed = check(place or machine.place(), only, console.print)
    except RunError as error:
        Console(stderr=True, markup=False).print(f"lab: {error}", style="red")
        raise typer.Exit(2) from None
    if not passed:
        raise typer.Exit(1)
