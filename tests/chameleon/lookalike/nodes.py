"""The nodes' SSH servers: each listens where its floating IP is, as long as a security group opens port 22."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from tests.chameleon.lookalike.cloud import Cloud
from tests.chameleon.lookalike.node_home import NodeHome
from tests.chameleon.lookalike.resources import Server
from tests.chameleon.lookalike.sessions import HomeFiles, end_processes, run

LOGIN = "cc"
SSH = 22


@dataclass(frozen=True)
class Session:
    """A command that came over SSH, and how it ended."""

    node: str
    command: str
    status: int


class Node:
    """One server's SSH, from the first time that it can be reached until the server is gone."""

    def __init__(self, cloud: Cloud, server: Server, place: NodeHome, sessions: list[Session]) -> None:
        self._cloud, self._server, self._place, self._sessions = cloud, server, place, sessions
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._listener: asyncssh.SSHAcceptor | None = None
        self.address: str | None = None

    async def listen(self, address: str, host: str, port: int) -> None:
        """Answer at an address."""
        self.address = address
        self._listener = await asyncssh.listen(
            host,
            port,
            server_host_keys=[self._key],
            server_factory=lambda: _Door(self._accepts, self._connections),
            process_factory=self._handle,
            sftp_factory=lambda channel: HomeFiles(channel, self._place),
            encoding=None,
        )

    def _accepts(self, user: str, key: asyncssh.SSHKey) -> bool:
        pair = self._cloud.keypair(self._server.user, self._server.key)
        if pair is None or user != LOGIN or self._cloud.troubles.ssh == "denied":
            return False
        return key.public_data == asyncssh.import_public_key(pair.public_key).public_data

    async def _handle(self, session: "asyncssh.SSHServerProcess[bytes]") -> None:
        status = await run(session, self._place)
        self._sessions.append(Session(self._server.name, session.command or "", status))
        session.exit(status)

    async def stop_listening(self) -> None:
        """Answer no longer; what is connected stays so."""
        if self._listener:
            self._listener.close()
            await self._listener.wait_closed()
        self._listener = self.address = None

    async def end(self) -> None:
        """The machine is gone, with all that runs on it."""
        await self.stop_listening()
        await asyncio.to_thread(end_processes, self._server.id)
        for connection in list(self._connections):
            connection.abort()
            await connection.wait_closed()


class _Door(asyncssh.SSHServer):
    """Lets in who has the key."""

    def __init__(
        self, accepts: Callable[[str, asyncssh.SSHKey], bool], connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._accepts, self._connections = accepts, connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncssh calls it
        self._connections.discard(self._connection)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._accepts(username, key)


class Nodes:
    """All nodes of a cloud.

    Args:
        cloud: whose servers they are.
        folder: for their homes, and for `commands.jsonl`.
        where: host and port on which an address's port 22 really is.
        files: folder whose content is copied into the home of each node.
    """

    def __init__(
        self, cloud: Cloud, folder: Path, where: Callable[[str], tuple[str, int]], files: Path | None = None
    ) -> None:
        self._cloud, self._folder, self._where, self._files = cloud, folder, where, files
        self._nodes: dict[str, Node] = {}
        self.log = folder / "commands.jsonl"
        self.sessions: list[Session] = []
        self._one_at_a_time = asyncio.Lock()

    async def follow(self) -> None:
        """Open, close and end what the state of the cloud says."""
        async with self._one_at_a_time:
            await self._follow()

    async def _follow(self) -> None:
        reachable = {one.id: address for one in self._cloud.servers.values() if (address := self._reachable(one))}
        for id, node in list(self._nodes.items()):
            if id not in self._cloud.servers:
                await self._nodes.pop(id).end()
            elif node.address and reachable.get(id) != node.address:
                await node.stop_listening()
        for id, address in reachable.items():
            node = self._nodes.get(id) or self._add(self._cloud.servers[id])
            if not node.address:
                await node.listen(address, *self._where(address))

    def _reachable(self, server: Server) -> str | None:
        is_open = self._cloud.opens(server, SSH) and self._cloud.troubles.ssh != "refused"
        return self._cloud.address_of(server) if is_open and server.status == "ACTIVE" else None

    def _add(self, server: Server) -> Node:
        place = NodeHome(server.id, self._folder / f"{server.name}-{server.id[:8]}", self.log)
        place.make(self._files, self._cloud.docker_installed)
        self._nodes[server.id] = Node(self._cloud, server, place, self.sessions)
        return self._nodes[server.id]

    def commands(self) -> list[dict[str, Any]]:
        """What the recorders have written down, with the names of the nodes."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    async def end(self) -> None:
        """End all of them."""
        while self._nodes:
            await self._nodes.popitem()[1].end()
