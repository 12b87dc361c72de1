"""`./lab new-stage NAME`: the beginning of a new stage."""

import subprocess
from typing import Annotated

import typer
from rich.console import Console

from labkit.paths import ROOT

Name = Annotated[str, typer.Argument(help="a number and a topic, such as 10_dashboards")]


def command(name: Name) -> None:
    """Write the beginning of a new stage, with an exercise and a check, and build its notebook."""
    from labkit.book.errors import SnippetError
    from labkit.book.new_stage import write

    try:
        files = write(ROOT, name)
    except SnippetError as error:
        Console(stderr=True, markup=False).print(f"lab: {error}", style="red")
        raise typer.Exit(2) from None
    for file in files:
        print(f"wrote   {file.relative_to(ROOT)}")
    built = subprocess.run([ROOT / "build_docs.sh", "--notebooks"], check=False).returncode
    print(f"Write its text there. ./lab run --only {name.partition('_')[0]} runs it.")
    raise typer.Exit(built)
