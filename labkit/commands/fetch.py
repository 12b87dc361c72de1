"""`./lab fetch`: whatever a first start would have to fetch, ahead of it."""

import time
from typing import Annotated

import typer

from labkit.stack import Stack

Place = Annotated[str | None, typer.Option(help="embedded, compose or chameleon; else what this machine is")]


def command(place: Place = None) -> None:
    """Fetch packages or images ahead, so that later starts need not wait."""
    began = time.monotonic()
    stack = Stack(place=place)
    print(f"fetching what the place {stack.place} needs; this may take some minutes …", flush=True)
    stack.fetch()
    print(f"all is here after {time.monotonic() - began:.0f} s")
