"""However a run ends, nothing of it is left, and the next one is not disturbed."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.lab_runs import is_open, processes_of, start, wait_until, write_notebook

STARTED = "from labkit import lab\nlab.up('postgres')\nprint(lab.address('postgres'), lab.address('minio'))"
LONG = "import subprocess\nsubprocess.run(['sleep', '600'])"


@contextmanager
def run_in_its_long_cell(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run with a database, a kernel, and a process that the kernel started."""
    write_notebook(folder / "notebooks", "2_long", STARTED, LONG)
    with start(folder / "runs", "--notebooks", str(folder / "notebooks")) as process:
        wait_until(lambda: any(command.startswith("sleep") for command in processes_of(folder / "runs")), 120)
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_cleans_up_before_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    with run_in_its_long_cell(tmp_path) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode in {128 + number, -number, 130}
    assert processes_of(tmp_path / "runs") == []
    assert "Traceback" not in output
    assert re.search(r"^2_long +1 of 2", output, flags=re.M)


def test_a_killed_run_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    with run_in_its_long_cell(tmp_path):
        ports = listening(tmp_path / "runs")
        assert any(is_open(port) for port in ports)
    wait_until(lambda: not processes_of(tmp_path / "runs"), 60)
    assert not any(is_open(port) for port in ports)


def test_two_runs_at_once_have_ports_of_their_own(tmp_path: Path) -> None:
    write_notebook(tmp_path / "notebooks", "2_database", STARTED)
    arguments = (tmp_path / "runs", "--notebooks", str(tmp_path / "notebooks"))
    with start(*arguments) as one, start(*arguments) as other:
        outputs = [process.communicate(timeout=120)[0] for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], outputs
    folders = [path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()]
    assert len({addresses(folder / "2_database.ipynb") for folder in folders}) == 2


def addresses(executed: Path) -> str:
    """The last line that the first cell printed."""
    outputs = json.loads(executed.read_text())["cells"][0]["outputs"]
    return str([line for output in outputs for line in output["text"]][-1])


def listening(runs: Path) -> set[int]:
    """The ports of a run's services."""
    notebook = next(runs.glob("latest/2_long.ipynb"))
    return {int(port) for port in re.findall(r":(\d+)", addresses(notebook))}
