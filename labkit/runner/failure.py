"""Explains a failed cell: which stage, what it said, and which service is behind it."""

import re
from collections.abc import Iterable

from labkit.runner.execute import CellFailure
from labkit.runner.logs import readable
from labkit.runner.prepare import Prepared
from labkit.stack import Stack, StackError

LOG_LINES = 15
UNWELL = frozenset({"failed", "starting"})


def explain(name: str, prepared: Prepared, failure: CellFailure, stack: Stack) -> str:
    """A few paragraphs for a person: the stage, the cell and its error, the services that are not well."""
    heading = prepared.headings[failure.index] or prepared.titles[failure.index]
    where = f"{name} failed at cell {prepared.position(failure.index)}, under the heading “{heading}”."
    error = error_text(failure)
    sources = [cell.source for cell in prepared.notebook.cells[: failure.index + 1] if cell.cell_type == "code"]
    return "\n\n".join([where, error, *services(stack, error, sources)])


def error_text(failure: CellFailure) -> str:
    """The cell's own lines of the traceback, and the error; without colours."""
    own = [frame for frame in map(readable, failure.traceback) if frame.startswith("Cell ")]
    return "\n\n".join([*own[:1], readable(_message(failure)).rstrip()])


def _message(failure: CellFailure) -> str:
    """The error. Of a failed `%%bash` cell, what its commands said: IPython's own message only quotes the cell."""
    if failure.name != "CalledProcessError":
        return f"{failure.name}: {failure.message}"
    status = failure.message.rpartition(" returned ")[2]
    said = failure.warnings.rstrip().splitlines()[-LOG_LINES:]
    return "\n  ".join([f"The command returned {status}", *said])


def services(stack: Stack, error: str, sources: list[str]) -> list[str]:
    """A paragraph for each service that is not well or named by the error, else for those that were started last."""
    try:
        reasons = {state.name: state.state for state in stack.ps() if state.state in UNWELL}
        reasons = dict.fromkeys(blamed(error, stack.file.names), "named by the error") | reasons
        reasons = reasons or dict.fromkeys(started_last(sources, stack.file.names), "started last before this")
        return [_service(stack, name, reason, error) for name, reason in reasons.items()]
    except StackError as problem:
        return [f"The services could not be asked: {problem}"]


def blamed(error: str, names: Iterable[str]) -> list[str]:
    """The services that a StackError names."""
    found = set(re.findall(r"[Ss]ervice ([\w-]+)", error))
    return [name for name in names if name in found]


def started_last(sources: list[str], names: Iterable[str]) -> list[str]:
    """The services in the last `lab.up("…")` of some cells."""
    calls = re.findall(r"\blab\.up\(([^)]*)\)", "\n".join(sources))
    found = set(re.findall(r"[\"']([\w-]+)[\"']", calls[-1])) if calls else set()
    return [name for name in names if name in found]


def _service(stack: Stack, name: str, reason: str, error: str) -> str:
    lines = readable(stack.logs(name, LOG_LINES)).rstrip().splitlines() or ["(it wrote nothing)"]
    if lines[-1] in error:
        return f"Service {name}: {reason}; the last lines of its log are above."
    return "\n  ".join([f"Service {name}: {reason}. The last lines of its log:", *lines])
