"""`./lab doctor`: what is missing or in the way on this machine."""

import typer
from rich.console import Console
from rich.text import Text

from labkit.commands.options import Place

SIGNS = {"ok": ("✓", "green"), "note": ("·", "yellow"), "bad": ("✗", "red")}


def command(place: Place = None) -> None:
    """Say what is missing or in the way on this machine, and how to fix it."""
    from labkit.stack import Stack
    from labkit.stack.doctor import examine

    console = Console(highlight=False, soft_wrap=True)
    is_well = True
    for found in examine(Stack(place=place)):
        sign, colour = SIGNS[found.state]
        console.print(Text(f"{sign} ", colour), Text(f"{found.subject:10}", "bold"), Text(found.text))
        if found.remedy:
            console.print(Text(f"  {'':11}→ {found.remedy}"))
        is_well &= found.state != "bad"
    if not is_well:
        raise typer.Exit(1)
