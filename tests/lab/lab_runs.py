"""Small notebooks, `./lab run` on them, and what is left of it afterwards."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbformat import v4

from labkit.paths import ROOT


def write_notebook(folder: Path, name: str, *cells: str | tuple[str, str]) -> Path:
    """A notebook; text that starts with # and a space is Markdown, a pair is code with its tags."""
    notebook = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}})
    for cell in cells:
        source, tags = cell if isinstance(cell, tuple) else (cell, "")
        if source.startswith(("# ", "## ")):
            notebook.cells.append(v4.new_markdown_cell(source))
        else:
            notebook.cells.append(v4.new_code_cell(source, metadata={"tags": tags.split()}))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    code: int
    output: str
    runs: Path

    @property
    def folder(self) -> Path:
        return (self.runs / "latest").resolve()


@contextmanager
def start(runs: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`./lab run` with its report in a folder of the test, beside any other; ended with the block at the latest."""
    argv = [str(ROOT / "lab"), "run", "--runs", str(runs), *arguments]
    with subprocess.Popen(
        argv, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lab_run(runs: Path, *arguments: str, timeout: float = 240, **environment: str) -> Ended:
    """`./lab run` to its end."""
    with start(runs, *arguments, **environment) as process:
        output, _ = process.communicate(timeout=timeout)
    return Ended(process.returncode, output, runs)


def row(output: str, name: str) -> list[str]:
    """The cells of a row of the table at the end."""
    found = re.search(rf"^{name}  +(.*)$", output, flags=re.M)
    assert found, output
    return re.split(r"  +", found[1].strip())


def loaded_from_elsewhere(folder: Path) -> list[str]:
    """What the pages of a report would fetch from another host; links to click on are none of it."""
    return [
        f"{page.name}: {found}"
        for page in folder.glob("*.html")
        for pattern in (
            r"""\b(?:src|srcset|action|data|poster)\s*=\s*["']?(?:https?:)?//[^"'\s>]+""",
            r"""<link[^>]*href\s*=\s*["']?(?:https?:)?//[^>]+""",
            r"""(?:url\(|@import|\bimport\(|\bfetch\()\s*["']?(?:https?:)?//[^"')]+""",
        )
        for found in re.findall(pattern, page.read_text())
    ]


def processes_of(runs: Path) -> list[str]:
    """Processes that know of this run: by their command, their folder or their environment."""
    return [found for process in psutil.process_iter() if (found := _command_if(process, str(runs)))]


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for a condition with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)


def _command_if(process: psutil.Process, text: str) -> str:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return ""
        command = process.cmdline()
        known = [*command, process.cwd(), *process.environ().values()]
        return " ".join(command) if any(text in part for part in known) else ""
    except psutil.Error:
        return ""  # it has just ended, or belongs to somebody else


def is_open(port: int) -> bool:
    """Whether anything listens on a port of the loopback address."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
