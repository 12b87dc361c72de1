"""Serves a cloud until its standard input ends: `python -m tests.chameleon.lookalike --help`."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

import uvicorn

from tests.chameleon.lookalike import population, scenarios
from tests.chameleon.lookalike.app import build
from tests.chameleon.lookalike.nodes import SSH, Nodes
from tests.chameleon.lookalike.population import Names
from tests.chameleon.lookalike.world import World

FOLLOW_SECONDS = 0.1
KEEP_ALIVE_SECONDS = 75
"""More than a client waits between two questions: a connection that ends while it is used again is a failure to it."""


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.chameleon.lookalike", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for the nodes' homes and the logs")
    parser.add_argument("--scenario", default="nothing")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument(
        "--ssh-port", type=int, default=0, help="of 203.0.113.0 on 127.0.0.1; 0: port 22 of the address"
    )
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--public-key", type=Path, required=True, help="of the student")
    parser.add_argument("--files", type=Path, help="what the home of a node has from the start")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> None:
    names = replace(Names(), public_key=arguments.public_key.read_text().strip())
    world = World(population.populated(names, time.time()))
    scenarios.apply(world, names, arguments.scenario)

    def where(address: str) -> tuple[str, int]:
        last = int(address.rsplit(".", 1)[1])
        return ("127.0.0.1", arguments.ssh_port + last) if arguments.ssh_port else (address, SSH)

    nodes = Nodes(world.cloud, arguments.folder, where, arguments.files)
    server = uvicorn.Server(
        uvicorn.Config(
            build(world, names, nodes),
            ssl_certfile=arguments.certificate,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
    )
    with contextlib.closing(_socket(arguments.folder / "control.sock")) as control:
        tcp = socket.create_server(("127.0.0.1", arguments.port))
        following = asyncio.create_task(_follow(world, nodes))
        ending = asyncio.create_task(_end_with_input(server))
        try:
            await server.serve(sockets=[tcp, control])
        finally:  # SIGTERM is raised again here, when the server has stopped
            ending.cancel()
            following.cancel()
            await nodes.end()


def _socket(path: Path) -> socket.socket:
    """For tests, which may be in another network namespace; who sees the file can connect."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(str(path.with_suffix(".new")))
    control.listen()
    path.with_suffix(".new").rename(path)
    return control


async def _follow(world: World, nodes: Nodes) -> None:
    """Time passes, and the nodes follow."""
    while True:
        world.advance()
        await nodes.follow()
        await asyncio.sleep(FOLLOW_SECONDS)


async def _end_with_input(server: uvicorn.Server) -> None:
    """Stop when whoever started this has closed our input, or is gone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
