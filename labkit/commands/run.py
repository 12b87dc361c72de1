"""`./lab run`: run the notebooks unattended, and report."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from labkit.commands.options import Place
from labkit.paths import BUILD, NOTEBOOKS
from labkit.runner.errors import RunError

Only = Annotated[str, typer.Option(help="numbers of notebooks, such as 2-5 or 2,3", show_default=False)]
Keep = Annotated[bool, typer.Option("--keep", help="leave the services running at the end")]
Parameters = Annotated[
    list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="a parameter of a notebook", show_default=False)
]
Solved = Annotated[bool, typer.Option("--solved", help="try each exercise with its typical mistakes, then solve it")]
Notebooks = Annotated[Path, typer.Option(help="folder of the notebooks", hidden=True)]
Runs = Annotated[Path, typer.Option(help="folder of the reports", hidden=True)]


def command(
    place: Place = None,
    only: Only = "",
    keep: Keep = False,
    parameter: Parameters = None,
    solved: Solved = False,
    notebooks: Notebooks = NOTEBOOKS,
    runs: Runs = BUILD / "runs",
) -> None:
    """Run the notebooks in order, show progress, and write a report under build/runs/."""
    from labkit.runner.freshness import with_solutions
    from labkit.runner.run import Request, run
    from labkit.stack import machine

    try:
        values = _parsed(parameter or [])
        place = place or machine.place()
        notebooks = with_solutions() if solved else notebooks
        passed = run(Request(place, only, keep, values, notebooks.resolve(), runs.resolve()))
    except RunError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"lab: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    if not passed:
        raise typer.Exit(1)


def _parsed(parameters: list[str]) -> dict[str, Any]:
    """Names and values; a value is read as YAML, so that 60 is a number and true a truth value."""
    values: dict[str, Any] = {}
    for text in parameters:
        name, sign, value = text.partition("=")
        if not (sign and name.isidentifier()):
            raise RunError(f"-p {text}: expected NAME=VALUE, such as traffic_seconds=60")
        values[name] = yaml.safe_load(value)
    return values
