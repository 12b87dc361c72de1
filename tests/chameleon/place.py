"""Runs notebooks against the look-alike of Chameleon, as `run_notebooks` or step by step in a `Place`."""

import json
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat

from labkit.paths import ROOT
from tests.chameleon import namespace
from tests.chameleon.jupyter import Jupyter
from tests.chameleon.lookalike.world import BASE

READY_SECONDS = 30
CELL_SECONDS = 180.0


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs; `error` is what a student would read at the cell that failed, or empty."""

    name: str
    notebook: Any
    error: str
    seconds: list[float]
    """For each code cell that was run."""

    @property
    def text(self) -> str:
        """Everything that the cells have printed, one after the other."""
        outputs = [one for cell in self.notebook.cells for one in cell.get("outputs", [])]
        return "".join(one.get("text") or one.get("data", {}).get("text/plain", "") for one in outputs)


@dataclass(frozen=True)
class Result:
    """What came out of it.

    Attributes:
        notebooks: as they were run.
        cloud: its last state: `by_project` for a quick look, `leases`, `servers`, `floating_ips`, `groups`, `audit`, …
        requests: method, path, status, user and project of each request to OpenStack.
        commands: what nodes' recorders were called with (`argv`, `stdin`).
        sessions: each command that came over SSH, with its exit status.
    """

    notebooks: list[Executed]
    cloud: dict[str, Any]
    requests: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    sessions: list[dict[str, Any]]


class Place:
    """A look-alike that runs, and the Jupyter of one student beside it. Made by `open_place`."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.folder = folder
        self._process = process
        transport = httpx.HTTPTransport(
            uds=str(folder / "control.sock"), verify=ssl.create_default_context(cafile=str(Jupyter(folder).authority))
        )
        self.control = httpx.Client(transport=transport, base_url=f"{BASE}/lookalike", timeout=10)
        self._notebooks: list[Executed] = []

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
        output = self.folder / "executed" / f"{len(self._notebooks)}-{notebook.name}"
        work = folder or self.folder / "work"
        for one in (output.parent, work):
            one.mkdir(exist_ok=True)
        asked = {"notebook": str(notebook.resolve()), "output": str(output), "folder": str(work)}
        answer = self._ask(asked | {"parameters": dict(parameters or {}), "timeout": timeout})
        done = Executed(notebook.stem, nbformat.read(output, as_version=4), answer["error"], answer["seconds"])
        self._notebooks.append(done)
        return done

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
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

    def result(self) -> Result:
        """What has come out of it until now."""
        commands = self._get("/commands")
        requests = self._get("/requests")
        return Result(list(self._notebooks), self.cloud(), requests, commands["commands"], commands["sessions"])

    def log(self) -> str:
        """What the look-alike and what runs the notebooks have printed; for when a test has failed."""
        return "".join(one.read_text() for one in sorted(self.folder.glob("*.log")))

    def _get(self, path: str) -> Any:
        return self.control.get(path).raise_for_status().json()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.control.post(path, json=body).raise_for_status().json()
        return answer

    def wait_until_ready(self) -> None:
        """Return when the look-alike answers."""
        self._answer()
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, f"the look-alike has ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"the look-alike does not answer:\n{self.log()}"
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return self.control.get("/cloud").is_success
        except httpx.TransportError:
            return False


@contextmanager
def open_place(scenario: str = "nothing", files: Path | None = None, way: str = "") -> Iterator[Place]:
    """A look-alike for as long as the `with` lasts; nothing of it is left afterwards.

    Args:
        scenario: names of `lookalike/scenarios.py`, joined with a plus.
        files: folder whose content the home of each node has from the start.
        way: how to keep it apart from the machine, of `namespace.WAYS`; the best that there is, when not given.
    """
    folder = Path(tempfile.mkdtemp(prefix="lookalike-"))
    jupyter = Jupyter(folder)
    try:
        jupyter.make()
        process = _start(jupyter, scenario, files, way or namespace.way())
        place = Place(folder, process)
        try:
            place.wait_until_ready()
            if "no_keypair" in scenario:
                jupyter.take_keys_away()
            yield place
        finally:
            place.control.close()
            process.communicate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(jupyter: Jupyter, scenario: str, files: Path | None, way: str) -> "subprocess.Popen[str]":
    inside = [sys.executable, "-m", "tests.chameleon.inside", "--folder", str(jupyter.folder), "--way", way]
    serving = ["--scenario", scenario, "--certificate", jupyter.certificate, "--public-key", jupyter.public_key]
    command = [*namespace.WAYS[way], *inside, *map(str, serving), *(["--files", str(files)] if files else [])]
    with (jupyter.folder / "inside.log").open("w") as log:
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, cwd=ROOT)


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
        scenario: how the cloud is, see `lookalike/scenarios.py`.
        parameters: for each of them.
        files: what the home of each node has from the start.
        timeout: seconds that a cell may take.
    """
    with open_place(scenario, files) as place:
        for path in paths:
            if place.run(path, parameters, timeout=timeout).error:
                break
        return place.result()
