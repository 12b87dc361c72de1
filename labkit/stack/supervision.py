"""One supervisor per stack (supervisord): starts, stops and restarts processes, and keeps a log of each."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from labkit.stack import launch
from labkit.stack.errors import StackError

START_SECONDS = 15
STOP_SECONDS = 60
KEEPER = "keeper"
STOPPED_STATES = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")

_CONFIGURATION = """\
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
logfile={home}/logs/supervisor.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={home}/supervisor.pid
childlogdir={home}/logs
directory={home}
umask=022
minfds=1024
"""

_PROGRAM = """
[program:{name}]
command="{python}" "{launch}" "{home}/processes/{name}.json"
directory={root}
autostart=false
autorestart=true
startsecs=1
startretries=20
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
killasgroup=true
stopasgroup=false
redirect_stderr=true
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""

# When its owner has ended, the keeper ends too, and takes the supervisor with it.
_KEEPER = """
[program:keeper]
command="{python}" "{keeper}" {owner}
directory={root}
autostart=true
autorestart=false
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""


@dataclass(frozen=True)
class Program:
    """A process that can be supervised."""

    name: str
    stop_signal: str = "TERM"
    stop_seconds: int = 10


class Supervisor:
    """The supervisor of one stack, whether it runs or not."""

    def __init__(self, home: Path, root: Path) -> None:
        self.home = home
        self._root = root

    @property
    def _socket(self) -> Path:
        # A socket's path may have about 100 characters, and a checkout may lie deep: so it is elsewhere, and private.
        name = sha256(str(self.home.resolve()).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"lab-{os.getuid()}-{name}" / "supervisor"

    def is_running(self) -> bool:
        """Whether the supervisor answers."""
        with contextlib.suppress(OSError, xmlrpc.client.Error), self._calls() as calls:
            return bool(calls.getState()["statename"] == "RUNNING")
        return False

    def start(self, programs: Iterable[Program], owner: int | None) -> None:
        """Start the supervisor unless it runs; it ends with the process `owner`, or stays when that is None."""
        if self.is_running():
            self._write(programs, owner)
            self._add_new()
            return
        _end_groups(self.home / "processes")
        for folder in (self.home / "logs", self.home / "processes"):
            folder.mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self._socket.parent.stat().st_uid != os.getuid():
            raise StackError(f"{self._socket.parent} belongs to another user; remove it.")
        self._write(programs, owner)
        started = subprocess.run(  # it leaves us as a daemon, so this returns at once
            [sys.executable, "-m", "supervisor.supervisord", "-c", self.home / "supervisor.conf"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self._root,
            check=False,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if started.returncode or time.monotonic() > deadline:
                raise StackError(f"The supervisor did not start: {started.stdout}{started.stderr}")
            time.sleep(0.05)

    def _write(self, programs: Iterable[Program], owner: int | None) -> None:
        where = {"home": self.home, "root": self._root, "python": sys.executable, "socket": self._socket}
        where |= {"launch": launch.__file__, "keeper": Path(launch.__file__).with_name("keeper.py")}
        text = _CONFIGURATION.format(**where)
        for one in programs:
            text += _PROGRAM.format(name=one.name, stop_signal=one.stop_signal, stop_seconds=one.stop_seconds, **where)
        if owner is not None:
            text += _KEEPER.format(owner=owner, **where)
        (self.home / "supervisor.conf").write_text(text)

    def _add_new(self) -> None:
        """Take over programs that came into the configuration since the start."""
        with self._calls() as calls:
            ((added, _, _),) = calls.reloadConfig()
            for name in set(added) - {KEEPER}:
                calls.addProcessGroup(name)

    def begin(self, name: str) -> None:
        """Start a process, unless it runs."""
        if self.state(name)["statename"] in STOPPED_STATES:
            with self._calls() as calls, contextlib.suppress(xmlrpc.client.Fault):
                calls.startProcess(name, False)

    def end(self, *names: str) -> None:
        """Stop processes, all at once, and wait until they have ended."""
        running = self.running()
        for name in running.intersection(names):
            with self._calls() as calls, contextlib.suppress(xmlrpc.client.Fault):
                calls.stopProcess(name, False)
        for name in running.intersection(names):
            while self.state(name)["statename"] not in STOPPED_STATES:
                time.sleep(0.05)

    def state(self, name: str) -> dict[str, Any]:
        """What is known of a process: `statename`, `pid`, `start` (unix seconds), `spawnerr`."""
        with self._calls() as calls:
            return dict(calls.getProcessInfo(name))

    def states(self) -> list[dict[str, Any]]:
        """What is known of all processes; empty when the supervisor does not run."""
        if not self.is_running():
            return []
        with self._calls() as calls:
            return [one for one in calls.getAllProcessInfo() if one["name"] != KEEPER]

    def running(self) -> set[str]:
        """Processes that run, or are to."""
        return {one["name"] for one in self.states() if one["statename"] not in STOPPED_STATES}

    def shut_down(self) -> None:
        """Stop all processes and the supervisor, and wait until it has ended."""
        with contextlib.suppress(OSError, xmlrpc.client.Error, psutil.NoSuchProcess):
            with self._calls() as calls:
                process = psutil.Process(calls.getPID())
                calls.shutdown()
            self._wait_for_end(process)
        with contextlib.suppress(OSError):
            self._socket.parent.rmdir()

    def _wait_for_end(self, process: psutil.Process) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            self.is_running()  # being asked wakes it; else it looks at its processes once a second
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(0.05)
                return
        raise StackError(f"The supervisor of {self.home} did not end in time; see ./lab doctor.")

    @contextlib.contextmanager
    def _calls(self) -> Iterator[Any]:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as proxy:
            yield proxy.supervisor


def _end_groups(folder: Path) -> None:
    """Kill services whose supervisor was killed; they survive that, and else their ports would stay taken."""
    for file in folder.glob("*.group"):
        if _leads_as_described(file):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(file.read_text()), signal.SIGKILL)
        launch.end_rest(file)


def _leads_as_described(group: Path) -> bool:
    """Whether the recorded leader still runs the command it was given, and its number has not become another's."""
    import psutil

    try:
        argv = json.loads(group.with_suffix(".json").read_text())["argv"]
        return bool(psutil.Process(int(group.read_text())).cmdline() == argv)
    except (OSError, ValueError, psutil.Error):
        return False
