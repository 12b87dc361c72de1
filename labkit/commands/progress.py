"""`./lab progress FOLDER`: how far each student of a class is."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from labkit.check.class_table import ClassTable, collect, exercises_in
from labkit.paths import NOTEBOOKS

Folder = Annotated[Path, typer.Argument(help="holds ana.json or ana/progress.json for each student")]
Csv = Annotated[Path | None, typer.Option("--csv", help="write the table to this file, for a spreadsheet")]


def command(folder: Folder, csv: Csv = None) -> None:
    """Show which stages and exercises each student of a class has done."""
    from labkit.runner.chapters import chapters

    # Those that run elsewhere leave their results there, and have no exercises.
    notebooks = [chapter.path for chapter in chapters(NOTEBOOKS, "") if not chapter.why_skipped()]
    try:
        table = ClassTable([file.stem for file in notebooks], exercises_in(notebooks), collect(folder))
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from None
    if csv:
        with csv.open("w", encoding="utf-8", newline="") as file:
            table.write_csv(file)
        print(f"{len(table.students)} students are in {csv}")
    else:
        Console().print(_shown(table))


def _shown(table: ClassTable) -> Table:
    shown = Table(box=None, header_style="bold")
    for title in table.header():
        shown.add_column(title.partition("_")[0] if title in table.stages else title, justify="center")
    shown.columns[0].justify = "left"
    for row in table.rows():
        shown.add_row(*row)
    return shown
