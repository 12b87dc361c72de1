"""What notebooks use: `from labkit import lab`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from labkit.paths import ROOT, SECRETS
from labkit.stack import Stack, machine

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from labkit.check import Exercise, Stage
    from labkit.stack.variables import Variables


class Lab:
    """The stack of this notebook, with words for the person in front of it."""

    root = ROOT
    """The lab's folder."""

    secrets_file: Path = SECRETS
    """Where passwords are kept."""

    def __init__(self) -> None:
        self._stack = Stack()

    @property
    def place(self) -> str:
        """`embedded`, `compose` or `chameleon`."""
        return self._stack.place

    def up(self, *services: str, **environment: object) -> None:
        """Start services and what they need, and say when each is ready."""
        prefix = "".join(f"{name}={value} " for name, value in environment.items())
        print(f"$ {prefix}{self._stack.command('up', '--detach', '--wait', services=services)}\n")
        for one in self._stack.up(*services, **environment):
            if one.note:
                print(f"{one.name:20} is left out here: {one.note}")
            else:
                print(f"{one.name:20} ready after {one.seconds:.1f} s")

    def stop(self, *services: str) -> None:
        """Stop services; their data stays."""
        print(f"$ {self._stack.command('stop', services=services)}")
        self._stack.stop(*services)

    def kill(self, service: str) -> None:
        """End a service as a crash would, without a moment to tidy up; `up` starts it again."""
        print(f"$ {self._stack.command('kill', services=(service,))}")
        self._stack.kill(service)

    def ps(self) -> None:
        """Print what is running."""
        states = self._stack.ps()
        for one in states:
            print(f"{one.name:20} {one.state:9} {one.detail}")
        if not states:
            print("nothing is running")

    def logs(self, service: str, lines: int = 20) -> str:
        """The last lines that a service wrote."""
        return self._stack.logs(service, lines)

    def run(self, service: str, *arguments: str, **environment: object) -> str:
        """Run a one-shot service, and return what it printed."""
        return self._stack.run(service, *arguments, **environment)

    def setting(self, name: str) -> str:
        """A value from docker/.env."""
        return self._stack.setting(name)

    def address(self, name: str) -> str:
        """host:port under which this notebook reaches a service."""
        return self._stack.address(name)

    def url(self, name: str) -> str:
        """The same as an http address."""
        return self._stack.url(name)

    def environment(self, service: str) -> "Variables":
        """What a service of our own is told, so that this notebook can do the same work, with the same rights.

        A dict of environment variables, in which addresses and folders are those of this machine, in every place::

            settings = TrainingSettings(**lab.environment("training").arguments)
            os.environ.update(lab.environment("training"))  # the same for a program that the notebook starts

        What lies on a volume that only containers reach is left out in the Compose places (`TRUTH_FILE` of `training`).
        The dict holds passwords, so printing it shows names alone.
        """
        return self._stack.environment(service)

    def link(self, name: str) -> str:
        """The address to open in your browser: the floating IP on Chameleon, else this computer."""
        return f"http://{machine.public_host()}:{self._stack.port(name)}"

    def links(self, *, logins: bool = False) -> None:
        """Print the addresses of all pages, and with `logins` also who may see them."""
        if self.place == "chameleon":
            token = f"token {self.setting('NOTEBOOK_TOKEN')}" if logins else ""
            address = f"http://{machine.public_host()}:{machine.NOTEBOOK_PORT}"
            print(f"{'Jupyter (host)':16} {address:34} {token}".rstrip())
        for page in self._stack.file.pages():
            left_out = self.place == "embedded" and self._stack.file.kind(page.service) != "own"
            address = self.link(page.port) + page.path
            login = self._stack.login(page.service) if logins else {}
            said = "(only with Docker)" if left_out else "  ".join(f"{what} {value}" for what, value in login.items())
            print(f"{page.title:16} {address:34} {said}".rstrip())

    def check(self, what: str, condition: object, remedy: str) -> None:
        """Print that something is true, or stop and say what to do."""
        from labkit.check import check

        check(what, condition, remedy)

    def exercise(self, name: str, answer: object) -> "AbstractContextManager[Exercise]":
        """Grades an answer: `with lab.exercise("2.1", answer) as exercise: exercise.check(…)`."""
        from labkit.check import exercise

        return exercise(name, answer, self._progress_file)

    def stage(self, name: str) -> "AbstractContextManager[Stage]":
        """The checks of a whole stage: `with lab.stage("…") as stage: stage.check(…)`."""
        from labkit.check import stage

        return stage(name, self._progress_file)

    @property
    def _progress_file(self) -> Path:
        return Path(os.environ.get("LAB_PROGRESS", self._stack.progress_file))
