"""`./lab test`: lint, types and tests, with a summary whose last line is the count."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from labkit.runner.interruption import orderly_exit
from labkit.runner.phases import LAYERS, Counts, Outcome, Phase, layer, lint, perform

CHOICES = ("lint", *LAYERS)

Wanted = Annotated[list[str] | None, typer.Argument(metavar=f"[{'|'.join(CHOICES)}]…", show_default=False)]
Match = Annotated[str, typer.Option("-k", metavar="EXPRESSION", help="only tests whose name matches, as in pytest")]


def command(wanted: Wanted = None, match: Match = "") -> None:
    """Check style and types and run the tests; everything when nothing is named."""
    if unknown := sorted(set(wanted or ()) - set(CHOICES)):
        raise typer.BadParameter(f"expected some of {', '.join(CHOICES)}, got {', '.join(unknown)}")
    console = Console(highlight=False, soft_wrap=True)
    more = ("-k", match) if match else ()
    with orderly_exit():
        outcomes = [perform(phase, lambda line: console.print(Text(line))) for phase in _phases(wanted, more)]
    total = sum((one.counts for one in outcomes), Counts())
    console.print()
    console.print(_table(outcomes))
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    if total.failed:
        raise typer.Exit(1)


def _phases(wanted: list[str] | None, more: tuple[str, ...]) -> list[Phase]:
    names = [name for name in CHOICES if not wanted or name in wanted]
    return [phase for name in names for phase in (lint() if name == "lint" else [layer(name, more)])]


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("phase")
    for title in ("passed", "failed", "skipped", "seconds"):
        table.add_column(title, justify="right")
    for one in outcomes:
        counts = one.counts
        shown = (str(counts.passed), str(counts.failed), str(counts.skipped), f"{one.seconds:.1f}")
        table.add_row(Text(one.name, style="" if one.ok else "red"), *shown)
    return table
