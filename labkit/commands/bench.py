"""`./lab bench [NAME]`: measure, print a table of figure, target and machine, keep it as JSON.

A benchmark is a module tests/bench/bench_NAME.py with a function `measure(home: Path) -> Iterator[Figure]`; `home` is
an empty folder for its data.
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import psutil
import typer
from rich.console import Console
from rich.table import Table

from labkit.paths import ROOT
from labkit.runner.interruption import orderly_exit

WIDTH = 150
"""Columns of a table that goes into a file."""

BENCHMARKS = ROOT / "tests" / "bench"
RESULTS = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Figure:
    """One measured value, and what it should reach: `at least` or `at most` the target; without a target it informs."""

    name: str
    value: float
    unit: str
    target: float | None = None
    wanted: Literal["at least", "at most"] = "at least"
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """None without a target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.wanted == "at least" else self.value <= self.target


@dataclass(frozen=True)
class Report:
    """What one benchmark said, where and with what."""

    name: str
    at: str
    machine: dict[str, str]
    versions: dict[str, str]
    figures: list[Figure] = field(default_factory=list)


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(path.stem.removeprefix("bench_").replace("_", "-") for path in BENCHMARKS.glob("bench_*.py"))


def command(
    wanted: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="all when none is named")] = None,
) -> None:
    """Measure, and compare with what should be reached."""
    try:
        with orderly_exit():
            raise typer.Exit(bench(wanted or ()))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def bench(wanted: Iterable[str] = (), console: Console | None = None) -> int:
    """Run the named benchmarks, or all; 0 when every target was reached, 1 otherwise.

    Raises:
        ValueError: there is no benchmark of that name.
    """
    chosen = list(wanted) or names()
    if unknown := sorted(set(chosen) - set(names())):
        raise ValueError(f"expected one of {', '.join(names())}, got {', '.join(unknown)}")
    console = console or (Console() if sys.stdout.isatty() else Console(width=WIDTH))
    reports = [_run(name, console) for name in chosen]
    return int(any(figure.reached is False for report in reports for figure in report.figures))


def _run(name: str, console: Console) -> Report:
    module = import_module(f"tests.bench.bench_{name.replace('-', '_')}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="data-", dir=RESULTS) as folder:
        home = Path(folder)
        home.chmod(0o755)  # embedded PostgreSQL may run as another user
        report = Report(name, _now(), machine(home), versions(getattr(module, "PACKAGES", ())))
        console.print(f"[bold]{name}[/bold]  " + ", ".join(report.machine.values()))
        console.print(", ".join(f"{package} {number}" for package, number in report.versions.items()), style="dim")
        for figure in module.measure(home):
            report.figures.append(figure)
            console.print(f"  {figure.name}: {_number(figure)}", style="dim")
    console.print(table(report))
    console.print(f"kept in {keep(report).relative_to(ROOT)}")
    return report


def table(report: Report) -> Table:
    """The figures as people read them."""
    result = Table("figure", "measured", "target", "", "note", title=f"{report.name}, {report.at}")
    for figure in report.figures:
        target = "" if figure.target is None else f"{figure.wanted} {figure.target:,g} {figure.unit}"
        result.add_row(figure.name, _number(figure), target, _verdict(figure), figure.note)
    return result


def keep(report: Report) -> Path:
    """Write the report as JSON, and say where."""
    path = RESULTS / f"{report.name}-{report.at.replace(':', '')}.json"
    content = asdict(report)
    for row, figure in zip(content["figures"], report.figures, strict=True):
        row["reached"] = figure.reached
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def machine(folder: Path) -> dict[str, str]:
    """What the figures depend on, the time to make a write in `folder` durable included."""
    return {
        "processor": _processor(),
        "cores": f"{psutil.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(aliased=True, terse=True),
        "fsync": f"fsync p50 {fsync_milliseconds(folder):.2f} ms",
        "load": f"load before {os.getloadavg()[0]:.1f}",
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's and each package's."""
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def fsync_milliseconds(folder: Path, rounds: int = 200) -> float:
    """Median time to write 8 KiB and wait until the disk has it."""
    return sorted(_timed_writes(folder / "fsync", rounds))[rounds // 2] * 1000


def _timed_writes(path: Path, rounds: int) -> Iterator[float]:
    with path.open("wb", buffering=0) as file:
        for _ in range(rounds):
            start = time.perf_counter()
            file.write(bytes(8192))
            os.fsync(file.fileno())
            yield time.perf_counter() - start
    path.unlink()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _number(figure: Figure) -> str:
    digits = 0 if figure.value >= 100 else 2  # noqa: PLR2004 - as people round
    return f"{figure.value:,.{digits}f} {figure.unit}"


def _verdict(figure: Figure) -> str:
    return {None: "", True: "[green]ok[/green]", False: "[red]missed[/red]"}[figure.reached]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
