"""`./lab place`: what this machine is, for all commands that follow."""

from typing import Annotated

import typer

from labkit.stack import machine

Name = Annotated[str, typer.Argument(help="embedded, compose or chameleon")]
Host = Annotated[str, typer.Option(help="where browsers find this machine: on Chameleon, its floating IP")]


def command(name: Name, host: Host = machine.LOCAL) -> None:
    """Note in docker/.env what this machine is. In the place chameleon, pages for browsers are open to the network."""
    machine.settle(name, host)
    print(f"this machine is {machine.place()}; its pages are at http://{machine.public_host()}")
