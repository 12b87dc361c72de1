"""`./lab fetch`: whatever a first start would have to fetch, ahead of it."""

import time

from labkit.commands.options import Place
from labkit.stack import Stack


def command(place: Place = None) -> None:
    """Fetch packages or images ahead, so that later starts need not wait."""
    began = time.monotonic()
    stack = Stack(place=place)
    print(f"fetching what the place {stack.place} needs; this may take some minutes …", flush=True)
    stack.fetch()
    print(f"all is here after {time.monotonic() - began:.0f} s")
