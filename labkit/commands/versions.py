"""`./lab versions`: what the lab runs that others make."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

WIDTH = 170

Images = Annotated[bool, typer.Option("--images", help="only the images, for another program")]
Newer = Annotated[bool, typer.Option("--newer", help="ask the package index what is newer now")]


def command(images: Images = False, newer: Newer = False) -> None:
    """List servers, images and packages with version, upstream and licence, and what newer there is to know."""
    from labkit import versions

    if images:
        for name, tag in versions.images().items():
            print(f"{name}:{tag}")
        return
    console = Console(width=WIDTH, highlight=False)
    servers = Table(
        "server or image", "version", "licence", "checked", "what is newer", title="Servers", show_lines=True
    )
    for one in versions.servers():
        servers.add_row(f"{one.name}\n{one.upstream}", one.version, one.licence, one.checked, one.newer)
    console.print(servers)
    known = versions.newer_packages() if newer else {}
    table = Table("package", "version", "licence", "upstream", *(["newer"] if newer else []), title="Packages")
    for one in versions.packages():
        table.add_row(one.name, one.version, one.licence, one.upstream, *([known.get(one.name, "")] if newer else []))
    console.print(table)
    print("Pinned in docker/docker-compose.yaml, docker/Dockerfile and locks/; the rest is in docs/versions.yaml.")
