"""Runs notebooks against the look-alike of Chameleon, as `run_notebooks` or step by step in a `Place`."""

import json
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import nbformat

from labkit.paths import ROOT
from tests.chameleon import jupyter, namespace
from tests.chameleon.folder import Folder
from tests.chameleon.jupyter import Ports
from tests.chameleon.lookalike.node_home import ANSWERS
from tests.chameleon.lookalike.world import BASE
from tests.chameleon.parameters import known
from tests.chameleon.results import Executed, Result
from tests.support.processes import free_port

CELL_SECONDS = 180.0
NODES = range(10, 20)
"""Last parts of the floating IPs that ports are looked for, where there is no network namespace."""


class Place:
    """A look-alike that runs, and the Jupyter of one student beside it. Made by `open_place`."""

    def __init__(self, folder: Folder, process: "subprocess.Popen[str]") -> None:
        self.folder = folder.path
        self._process = process
        trusted = ssl.create_default_context(cafile=str(folder.authority))
        transport = httpx.HTTPTransport(uds=str(folder.control), verify=trusted)
        self._control = httpx.Client(transport=transport, base_url=f"{BASE}/lookalike", timeout=30)
        self._notebooks: list[Executed] = []
        self._before: dict[str, Any] = {}

    def run(
        self,
        notebook: Path,
        parameters: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        timeout: float = CELL_SECONDS,
    ) -> Executed:
        """Run a notebook up to its end or its first error.

        Args:
            notebook: the file, which is left as it is.
            parameters: values for the variables of its cell with the tag `parameters`.
            folder: where its cells run; an empty folder, when not given.
            timeout: seconds that a cell may take.
        """
        unknown = set(parameters or ()) - known_parameters(notebook)
        assert not unknown, f"{notebook.name} has no such parameters: {', '.join(sorted(unknown))}"
        output = self.folder / "executed" / f"{len(self._notebooks)}-{notebook.name}"
        work = folder or self.folder / "work"
        for one in (output.parent, work):
            one.mkdir(exist_ok=True)
        asked = {"notebook": str(notebook.resolve()), "output": str(output), "work": str(work)}
        answer = self._ask(asked | {"parameters": dict(parameters or {}), "timeout": timeout})
        self._notebooks.append(Executed(notebook.stem, nbformat.read(output, as_version=4), **answer))
        return self._notebooks[-1]

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the look-alike has ended:\n{self.log()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def cloud(self) -> dict[str, Any]:
        """The state of the cloud now."""
        cloud: dict[str, Any] = self._get("/cloud")
        return cloud

    def set(self, scenario: str) -> dict[str, Any]:
        """Set a scenario now, on top of what is there; `calm` ends all failures."""
        return self._post("/scenario", {"name": scenario})

    def pass_time(self, seconds: float) -> dict[str, Any]:
        """Let time pass for the cloud at once, such as until a lease ends."""
        return self._post("/time", {"seconds": seconds})

    def remove(self, kind: str, name: str) -> dict[str, Any]:
        """Remove a server, lease or group by its name, or a floating_ip by its address."""
        return self._post("/remove", {"kind": kind, "name": name})

    def answer(self, command: str, script: str) -> None:
        """Let a shell script answer for a recorded command of the nodes, such as `apt-get`: fail, say something."""
        folder = self.folder / ANSWERS
        folder.mkdir(exist_ok=True)
        file = folder / command
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)

    def result(self) -> Result:
        """What has come out of it until now."""
        done, requests = self._get("/commands"), self._get("/requests")
        return Result(list(self._notebooks), self.cloud(), self._before, requests, done["commands"], done["sessions"])

    def log(self) -> str:
        """What the look-alike and what runs the notebooks have printed; for when a test has failed."""
        return "".join(one.read_text() for one in sorted(self.folder.glob("*.log")))

    def _get(self, path: str) -> Any:
        return self._control.get(path).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._control.post(path, json=body)
        assert answer.is_success, answer.text
        cloud: dict[str, Any] = answer.json()
        return cloud

    def wait_until_ready(self) -> None:
        """Return when the look-alike answers."""
        self._answer()
        self._before = self.cloud()

    def close(self) -> None:
        """End everything."""
        self._control.close()
        self._process.communicate()


def known_parameters(notebook: Path) -> set[str]:
    """Names of the variables that a notebook may be given."""
    return known(nbformat.read(notebook, as_version=4))


@contextmanager
def open_place(scenario: str = "nothing", files: Path | None = None, way: str = "") -> Iterator[Place]:
    """A look-alike for as long as the `with` lasts; nothing of it is left afterwards.

    Args:
        scenario: starting states and failures, joined with a plus; `python -m tests.chameleon --help` lists them.
        files: folder whose content the home of each node has from the start.
        way: how to keep it apart from the machine, of `namespace.WAYS`; the best that there is, when not given.
    """
    folder = Folder(Path(tempfile.mkdtemp(prefix="lookalike-")))
    way = way or namespace.way()
    ports = _free_ports() if way == "ports" else Ports()
    try:
        jupyter.make(folder, ports)
        serving = ["--scenario", scenario, *(["--files", files] if files else [])]
        place = Place(folder, _start(folder, way, ports, serving))
        try:
            place.wait_until_ready()
            if "no_keypair" in scenario:
                jupyter.take_keys_away(folder)
            yield place
        finally:
            place.close()
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)


def _start(folder: Folder, way: str, ports: Ports, serving: Sequence[object]) -> "subprocess.Popen[str]":
    inside = [sys.executable, "-m", "tests.chameleon.inside", "--folder", folder.path, "--way", way]
    keys = ["--certificate", folder.certificate, "--public-key", folder.public_key]
    served = ["--port", ports.cloud, "--ssh-port", ports.ssh, *keys, *serving]
    command = [*namespace.ends_with_its_parent(way), *namespace.WAYS[way], *map(str, [*inside, *served])]
    with (folder.path / "inside.log").open("w") as log:
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, cwd=ROOT)


def _free_ports() -> Ports:
    """Ports that nobody listens on now, for the cloud and for some nodes."""
    while True:
        base = random.randrange(20_000, 32_000)
        if all(_is_free(base + node) for node in NODES):
            return Ports(free_port(), base)


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) != 0


def run_notebooks(
    paths: Sequence[Path],
    scenario: str = "nothing",
    parameters: Mapping[str, Any] | None = None,
    files: Path | None = None,
    timeout: float = CELL_SECONDS,
) -> Result:
    """Run notebooks one after the other on the same cloud, until one fails.

    Args:
        paths: the notebooks.
        scenario: how the cloud is, see `open_place`.
        parameters: each notebook gets those that it knows; one must know them.
        files: what the home of each node has from the start.
        timeout: seconds that a cell may take.
    """
    given = dict(parameters or {})
    unknown = given.keys() - set().union(*map(known_parameters, paths))
    assert not unknown, f"no notebook has the parameters {', '.join(sorted(unknown))}"
    with open_place(scenario, files) as place:
        for path in paths:
            wanted = known_parameters(path)
            if place.run(path, {name: given[name] for name in given.keys() & wanted}, timeout=timeout).error:
                break
        return place.result()
