"""Commands over SSH as processes of this machine, and files over SFTP, in the home of a node."""

import asyncio
import contextlib
import os
import time

import asyncssh
import psutil

from tests.chameleon.lookalike.node_home import NodeHome

CHUNK = 65536
END_SECONDS = 3.0


async def run(session: "asyncssh.SSHServerProcess[bytes]", place: NodeHome) -> int:
    """Run a session's command, or a shell; its exit status as the shell would say it."""
    command = ["-c", session.command] if session.command else ["-l"]
    child = await asyncio.create_subprocess_exec(
        "/bin/bash",
        *command,
        cwd=place.home,
        env=place.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin
    assert child.stdout
    assert child.stderr
    feed = asyncio.create_task(_feed(session.stdin, child.stdin))
    # As with sshd, a session lasts until everything that has its output has let go of it.
    await asyncio.gather(_copy(child.stdout, session.stdout), _copy(child.stderr, session.stderr))
    status = await child.wait()
    feed.cancel()
    return status if status >= 0 else 128 - status


async def _feed(source: "asyncssh.SSHReader[bytes]", target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    target.close()


async def _copy(source: asyncio.StreamReader, target: "asyncssh.SSHWriter[bytes]") -> None:
    while chunk := await source.read(CHUNK):
        with contextlib.suppress(OSError, asyncssh.Error):  # whoever asked may have left
            target.write(chunk)
            await target.drain()


class HomeFiles(asyncssh.SFTPServer):
    """SFTP whose root is the home of a node, which is also called /home/cc and by its real name."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", place: NodeHome) -> None:
        super().__init__(channel, chroot=os.fsencode(place.home))
        self._names = (os.fsencode(place.home), b"/home/cc")

    def map_path(self, path: bytes) -> bytes:
        """The real path of a file."""
        for name in self._names:
            path = path.removeprefix(name)
        return super().map_path(path or b"/")


def end_processes(node: str) -> None:
    """End all processes of a node, told by the variable that they inherit, and what they start meanwhile."""
    kill_at = time.monotonic() + END_SECONDS
    asked: set[int] = set()
    while left := [process for process in psutil.process_iter() if _belongs(process, node)]:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                if time.monotonic() > kill_at:
                    process.kill()
                elif process.pid not in asked:
                    process.terminate()
        asked |= {process.pid for process in left}
        time.sleep(0.05)


def _belongs(process: psutil.Process, node: str) -> bool:
    """Also False for a process that has ended and only waits to be collected."""
    with contextlib.suppress(psutil.Error):
        return process.environ().get("LOOKALIKE_NODE") == node
    return False
