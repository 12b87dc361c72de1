"""SSH and SFTP of the nodes, for real, on free ports of this machine."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncssh
import httpx
import psutil
import pytest

from tests.chameleon.lookalike.resources import Server
from tests.chameleon.small_cloud import NAMES, SmallCloud
from tests.support.processes import free_port, wait_until

KEY = asyncssh.generate_private_key("ssh-ed25519")
PUBLIC = KEY.export_public_key().decode()


class Reachable(SmallCloud):
    """A cloud whose floating IPs are ports of this machine."""

    def __init__(self, folder: Path) -> None:
        ports: dict[str, tuple[str, int]] = {}
        self.port_of = ports
        super().__init__(
            folder,
            replace(NAMES, public_key=PUBLIC),
            lambda address: ports.setdefault(address, ("127.0.0.1", free_port())),
        )

    @property
    def server(self) -> Server:
        """The student's."""
        return next(one for one in self.world.cloud.servers.values() if one.name == NAMES.server)

    @property
    def home(self) -> Path:
        """The home of her node."""
        return self.folder / f"{NAMES.server}-{self.server.id[:8]}" / "home"

    @asynccontextmanager
    async def ssh(self, user: str = "cc", key: asyncssh.SSHKey = KEY) -> AsyncIterator[asyncssh.SSHClientConnection]:
        """A connection to her node."""
        host, port = self.port_of[self.world.cloud.address_of(self.server) or "none"]
        options = asyncssh.SSHClientConnectionOptions(username=user, client_keys=[key], known_hosts=None, config=None)
        async with asyncssh.connect(host, port, options=options) as connection:
            yield connection

    async def answers(self) -> bool:
        """Whether port 22 of her node does."""
        await self.nodes.follow()
        with contextlib.suppress(OSError, KeyError):
            async with self.ssh():
                return True
        return False


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Reachable]:
    cloud = Reachable(tmp_path)
    cloud.set("everything")
    await cloud.nodes.follow()
    yield cloud
    await cloud.nodes.end()


async def test_a_node_answers_while_it_has_an_address_and_a_group_opens_port_22(tmp_path: Path) -> None:
    cloud = Reachable(tmp_path)
    cloud.set("everything_but_address")
    assert not await cloud.answers()
    async with cloud.asked_by() as student:
        await give_address(cloud, student)
        assert await cloud.answers()
        action = f"/compute/v2.1/servers/{cloud.server.id}/action"
        await student.post(action, json={"removeSecurityGroup": {"name": "allow-22"}})
        assert not await cloud.answers()
        await student.post(action, json={"addSecurityGroup": {"name": "allow-22"}})
        assert await cloud.answers()
        floating = (await student.get("/network/v2.0/floatingips?floating_ip_address=203.0.113.12")).json()
        await student.delete(f"/network/v2.0/floatingips/{floating['floatingips'][0]['id']}")
        assert not await cloud.answers()
    await cloud.nodes.end()


async def give_address(cloud: Reachable, student: httpx.AsyncClient) -> None:
    wanted = {"floatingip": {"floating_network_id": cloud.world.cloud.network("public").id}}
    floating = (await student.post("/network/v2.0/floatingips", json=wanted)).json()["floatingip"]
    attach = {"floatingip": {"port_id": cloud.server.port}}
    await student.put(f"/network/v2.0/floatingips/{floating['id']}", json=attach)


async def test_a_node_does_not_answer_without_a_rule_or_before_it_has_booted(tmp_path: Path) -> None:
    cloud = Reachable(tmp_path)
    cloud.set("everything+group_without_rule")
    cloud.world.cloud.ports[cloud.server.port].groups.clear()
    assert not await cloud.answers()
    cloud = Reachable(tmp_path)
    cloud.set("everything")
    cloud.server.status = "BUILD"
    assert not await cloud.answers()
    await cloud.nodes.end()


async def test_ssh_refused(tmp_path: Path) -> None:
    cloud = Reachable(tmp_path)
    cloud.set("everything+ssh_refused")
    assert not await cloud.answers()
    cloud.set("calm")
    assert await cloud.answers()
    await cloud.nodes.end()


@pytest.mark.parametrize("why", ["ssh_denied", "another user", "another key", "no key in nova"])
async def test_who_is_not_let_in(cloud: Reachable, why: str) -> None:
    if why == "ssh_denied":
        cloud.set(why)
    if why == "no key in nova":
        cloud.world.cloud.keypairs.clear()
    user = "root" if why == "another user" else "cc"
    key = asyncssh.generate_private_key("ssh-ed25519") if why == "another key" else KEY
    with pytest.raises(asyncssh.PermissionDenied):
        async with cloud.ssh(user, key):
            pass


async def test_commands_run_in_the_home_of_the_node_and_are_written_down(cloud: Reachable) -> None:
    async with cloud.ssh() as connection:
        done = await connection.run("pwd; echo $HOME; whoami; cat; echo oh no >&2; exit 3", input="from afar\n")
    assert done.stdout == f"{cloud.home}\n{cloud.home}\ncc\nfrom afar\n"
    assert (done.stderr, done.exit_status) == ("oh no\n", 3)
    sessions = [(one.node, one.status) for one in cloud.nodes.sessions]
    assert sessions == [(NAMES.server, 3)]


async def test_a_shell_and_the_end_by_a_signal(cloud: Reachable) -> None:
    async with cloud.ssh() as connection:
        shell = await connection.run(input="echo $((6 * 7))\nexit 5\n")
        killed = await connection.run("kill -9 $$")
    assert (shell.stdout, shell.exit_status, killed.exit_status) == ("42\n", 5, 137)


async def test_real_programs_are_there(cloud: Reachable) -> None:
    async with cloud.ssh() as connection:
        done = await connection.run("git --version && tar --version | head -1 && python3 -c 'print(6 * 7)' && ls -d .")
    assert done.exit_status == 0, done.stderr
    assert str(done.stdout).splitlines()[-2:] == ["42", "."]


async def test_files_arrive_in_the_home_under_all_of_its_names(cloud: Reachable, tmp_path: Path) -> None:
    source = tmp_path / "lab.txt"
    source.write_text("hello")
    async with cloud.ssh() as connection, connection.start_sftp_client() as sftp:
        for target in ("lab.txt", "/home/cc/second.txt", f"{cloud.home}/third.txt"):
            await sftp.put(source, target)
        assert sorted(await sftp.listdir(".")) == [".", "..", "lab.txt", "second.txt", "third.txt"]
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.put(source, "/etc/lookalike.txt")
    assert [one.read_text() for one in sorted(cloud.home.iterdir())] == ["hello"] * 3


async def test_a_node_has_its_files_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/.gitconfig").write_text("[user]\nname = cc\n")
    cloud = Reachable(tmp_path)
    cloud.nodes._files = tmp_path / "files"
    cloud.set("everything")
    assert await cloud.answers()
    async with cloud.ssh() as connection:
        assert (await connection.run("git config user.name")).stdout == "cc\n"
    await cloud.nodes.end()


async def test_nothing_that_a_node_has_started_outlives_it(cloud: Reachable) -> None:
    async with cloud.ssh() as connection:
        for how in ("setsid -f", "nohup", ""):
            await connection.run(f"{how} sleep 3000 >/dev/null 2>&1 </dev/null &")
        running = await connection.create_process("sleep 3001")
        wait_until(lambda: len(_sleepers(cloud)) == 4, "four processes of the node run")
        sleepers = _sleepers(cloud)
        await cloud.nodes.end()
        running.close()
    assert not [one for one in sleepers if _runs(one)]


def _runs(process: psutil.Process) -> bool:
    """Not one that has ended and only waits to be collected."""
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _sleepers(cloud: Reachable) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "sleep" and process.environ().get("LOOKALIKE_NODE") == cloud.server.id:
                found.append(process)
    return found


async def test_a_deleted_server_takes_its_connections_and_processes_along(cloud: Reachable) -> None:
    async with cloud.ssh() as connection:
        await connection.run("sleep 3000 >/dev/null 2>&1 </dev/null &")
        wait_until(lambda: len(_sleepers(cloud)) == 1, "the process of the node runs")
        sleepers = _sleepers(cloud)
        async with cloud.asked_by() as student:
            await student.post("/lookalike/remove", json={"kind": "server", "name": NAMES.server})
        await connection.wait_closed()
    assert len(sleepers) == 1
    assert not _runs(sleepers[0])


async def test_a_new_server_of_the_same_name_is_another_machine(cloud: Reachable) -> None:
    async with cloud.ssh() as connection:
        await connection.run("touch here")
        first = connection.get_server_host_key()
    cloud.world.cloud.servers.pop(cloud.server.id)
    await cloud.nodes.follow()
    cloud.set("everything")
    await cloud.nodes.follow()
    async with cloud.ssh() as connection:
        assert (await connection.run("ls")).stdout == ""
        second = connection.get_server_host_key()
    assert first
    assert second
    assert first.public_data != second.public_data
