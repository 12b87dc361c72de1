"""The phases of `./lab test`: each is a command; pytest's are counted from their JUnit files."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

from labkit.paths import BUILD, ROOT

RESULTS = BUILD / "test"
LAYERS = ("unit", "integration", "lab", "faults", "compose")
CLEAN_UP_SECONDS = 120
"""What a phase that is stopped may take to end what it has started; seven containers took 14 s."""

FOLDERS = {"lab": ("lab", "chameleon")}
"""Folders of a layer below tests/, where it is not the one of its name."""


@dataclass(frozen=True)
class Counts:
    """Cases by outcome; errors count as failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text


@dataclass(frozen=True)
class Phase:
    """One command. Without `junit` it counts as one case: its exit status."""

    name: str
    argv: tuple[str, ...]
    junit: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What a phase came to."""

    name: str
    counts: Counts
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.counts.failed


def lint() -> list[Phase]:
    """Style, types, imports, generated files."""
    tools = Path(sys.executable).parent
    return [
        Phase("hadolint", (str(tools / "hadolint"), "docker/Dockerfile")),
        Phase("ruff check", (str(tools / "ruff"), "check", ".")),
        Phase("ruff format", (str(tools / "ruff"), "format", "--check", ".")),
        Phase("mypy", (str(tools / "mypy"),)),
        Phase("lint-imports", (str(tools / "lint-imports"), "--no-logo")),
        Phase("docs", (str(ROOT / "build_docs.sh"), "--check")),
    ]


def layer(name: str, more: Sequence[str] = ()) -> Phase:
    """A layer of tests, its files side by side; `more` are arguments for pytest."""
    junit = RESULTS / f"{name}.xml"
    processes = processes_for(name)
    side_by_side = ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder") if processes > 1 else ()
    folders = [str(ROOT / "tests" / folder) for folder in FOLDERS.get(name, (name,))]
    argv = (sys.executable, "-m", "pytest", *folders, "-q", f"--junitxml={junit}")
    return Phase(f"{name} tests", (*argv, *side_by_side, *more), junit)


def processes_for(name: str) -> int:
    """How many processes run a layer's test files; each has a stack of its own when it needs one.

    Unit tests only work; the others mostly wait for servers, so one more is quicker. A stack takes about 1 GB of
    memory, so there are four at most.
    """
    if name == "compose":  # its files share one platform, which pytest itself can remove when it is interrupted
        return 1
    processors = os.cpu_count() or 1
    return min(processors if name == "unit" else processors + 1, 4)


def perform(phase: Phase, say: Callable[[str], None]) -> Outcome:
    """Run a phase in the lab's folder; its output goes where ours goes."""
    say(f"\n── {phase.name}")
    if phase.junit:
        phase.junit.parent.mkdir(parents=True, exist_ok=True)
        phase.junit.unlink(missing_ok=True)
    began = time.monotonic()
    code = _run(phase.argv)
    seconds = time.monotonic() - began
    counts = count(phase.junit, code) if phase.junit else Counts(passed=int(code == 0), failed=int(code != 0))
    say(f"{phase.name}: {counts} ({seconds:.1f} s)")
    return Outcome(phase.name, counts, seconds)


def count(junit: Path, code: int) -> Counts:
    """The cases in a JUnit file. A pytest that failed, or found no case at all, without a failed case counts as one."""
    counts = Counts()
    if junit.exists():
        for case in Xml.parse(junit).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it just now
            counts += _outcome_of(case)
    if (code or not (counts.passed or counts.skipped)) and not counts.failed:
        counts += Counts(failed=1)
    return counts


def _outcome_of(case: Xml.Element) -> Counts:
    if case.find("failure") is not None or case.find("error") is not None:
        return Counts(failed=1)
    return Counts(skipped=1) if case.find("skipped") is not None else Counts(passed=1)


def _run(argv: Sequence[str]) -> int:
    """The exit status; Ctrl-C and SIGTERM reach the phase first, which cleans up before we go on."""
    process = subprocess.Popen(argv, cwd=ROOT, env=os.environ | {"LAB_OWNER_PID": str(os.getpid())})
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(CLEAN_UP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
