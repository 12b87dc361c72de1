"""Runs the phases of `./lab test`: one after the other, and beside them those that mostly wait."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from labkit.paths import ROOT
from labkit.runner.phases import RESULTS, Counts, Outcome, Phase, count

LEAST = 2
"""Processes that a phase has even beside another one: one test file that waits must not hold all up."""

CLEAN_UP_SECONDS = 30

Say = Callable[[str], None]


class Running:
    """A phase that has begun; its output goes where ours goes, or to a file."""

    def __init__(self, phase: Phase, processes: int, output: Path | None = None) -> None:
        RESULTS.mkdir(parents=True, exist_ok=True)
        if phase.junit:
            phase.junit.unlink(missing_ok=True)
        self.phase = phase
        told = {"LAB_OWNER_PID": str(os.getpid()), "PYTEST_XDIST_AUTO_NUM_WORKERS": str(processes)}
        with ExitStack() as files:
            to = files.enter_context(output.open("w")) if output else None
            self._process = subprocess.Popen(
                phase.argv, cwd=ROOT, env=os.environ | told, stdout=to, stderr=subprocess.STDOUT if to else None
            )
        self._seconds = 0.0
        self._end = Thread(target=self._wait, args=(time.monotonic(),), daemon=True)
        self._end.start()

    def _wait(self, began: float) -> None:
        self._process.wait()
        self._seconds = time.monotonic() - began

    @property
    def is_over(self) -> bool:
        """Whether it has ended by itself."""
        return not self._end.is_alive()

    def outcome(self) -> Outcome:
        """What it came to, at its end."""
        self._end.join()
        code, junit = self._process.returncode, self.phase.junit
        counts = count(junit, code) if junit else Counts(passed=int(code == 0), failed=int(code != 0))
        return Outcome(self.phase.name, counts, self._seconds)

    def stop(self) -> None:
        """End it, if it has not ended; after some time to clean up."""
        self._process.terminate()
        self._end.join(CLEAN_UP_SECONDS)
        self._process.kill()
        self._end.join()


def perform_all(phases: Sequence[Phase], say: Say) -> list[Outcome]:
    """Run phases in the lab's folder and tell of each; those that are `beside` begin first, and are told of last.

    Ctrl-C and SIGTERM end what runs, which cleans up before we go on.
    """
    beside = [phase for phase in phases if phase.beside and len(phases) > 1]
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as stack:
        others = [stack.enter_context(_begun(phase, phase.processes, _log(phase))) for phase in beside]
        for running in others:
            say(f"{running.phase.name} run beside the others; what they print is in {_log(running.phase)}")
        for phase in (phase for phase in phases if phase not in beside):
            say(f"\n── {phase.name}")
            taken = sum(one.phase.processes for one in others if not one.is_over)
            with _begun(phase, max(phase.processes - taken, min(LEAST, phase.processes))) as running:
                outcomes[phase.name] = _told(running.outcome(), say)
        for running in others:
            say(f"\n── {running.phase.name}")
            outcome = running.outcome()
            say(_log(running.phase).read_text())
            outcomes[running.phase.name] = _told(outcome, say)
    return [outcomes[phase.name] for phase in phases]


@contextmanager
def _begun(phase: Phase, processes: int, output: Path | None = None) -> Iterator[Running]:
    running = Running(phase, processes, output)
    try:
        yield running
    finally:
        running.stop()


def _log(phase: Phase) -> Path:
    return RESULTS / f"{phase.name.replace(' ', '-')}.log"


def _told(outcome: Outcome, say: Say) -> Outcome:
    say(f"{outcome.name}: {outcome.counts} ({outcome.seconds:.1f} s)")
    return outcome
