"""Explains a failed cell: which stage, what it said, and which service is behind it."""

import re
from collections.abc import Iterable

from labkit.runner.execute import CellFailure
from labkit.runner.prepare import Prepared
from labkit.stack import Stack, StackError

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LOG_LINES = 15
UNWELL = frozenset({"failed", "starting"})


def explain(name: str, prepared: Prepared, failure: CellFailure, stack: Stack | None) -> str:
    """A few paragraphs for a person: the stage, the cell and its error, the services that are not well."""
    where = (
        f"{name} failed at cell {prepared.position(failure.index)}, under the heading “{_heading(prepared, failure)}”."
    )
    parts = [where, error_text(failure)]
    if stack is not None:
        parts += services(stack, error_text(failure))
    return "\n\n".join(parts)


def error_text(failure: CellFailure) -> str:
    """The cell's own lines of the traceback, and the error; without colours."""
    error = ANSI.sub("", f"{failure.name}: {failure.message}").rstrip()
    frames = [ANSI.sub("", frame).rstrip() for frame in failure.traceback]
    own = [frame for frame in frames if frame.startswith("Cell ")]
    return "\n\n".join([*own[:1], error])


def services(stack: Stack, error: str) -> list[str]:
    """A paragraph for each service that is not well or that the error names, with the last lines of its log."""
    try:
        unwell = {state.name: state.state for state in stack.ps() if state.state in UNWELL}
        logged = [*unwell, *(name for name in named(error, stack.file.names) if name not in unwell)]
        return [_service(stack, name, unwell.get(name, "named by the error"), error) for name in logged]
    except StackError as problem:
        return [f"The services could not be asked: {problem}"]


def named(error: str, names: Iterable[str]) -> list[str]:
    """The services that a StackError blames."""
    blamed = re.findall(r"[Ss]ervice ([\w-]+)", error)
    return [name for name in names if name in blamed]


def _service(stack: Stack, name: str, state: str, error: str) -> str:
    lines = ANSI.sub("", stack.logs(name, LOG_LINES)).rstrip().splitlines() or ["(it wrote nothing)"]
    if lines[-1] in error:
        return f"Service {name}: {state}; the last lines of its log are above."
    return "\n  ".join([f"Service {name}: {state}. The last lines of its log:", *lines])


def _heading(prepared: Prepared, failure: CellFailure) -> str:
    return prepared.headings[failure.index] or prepared.titles[failure.index]
