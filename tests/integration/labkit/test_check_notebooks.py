"""`./lab check-notebooks` on small notebooks, and what is left of it when it is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labkit.runner.errors import RunError
from labkit.runner.nbval_check import check
from tests.lab.lab_runs import processes_of, wait_until, write_notebook

STARTED = "from labkit import lab\nlab.up('postgres')"
LONG = "import subprocess\nsubprocess.run(['sleep', '600'])"


def test_notebooks_of_another_place_only_are_refused_before_anything_starts(tmp_path: Path) -> None:
    write_notebook(tmp_path / "sources", "1_server", ("1", "chameleon"))
    write_notebook(tmp_path / "sources", "2_here", "1")
    said: list[str] = []
    with pytest.raises(RunError, match=r"none of the chosen notebooks \(1_server\) runs on this machine"):
        check("embedded", "1", said.append, tmp_path / "sources", tmp_path / "checks")
    assert [line.partition(":")[0] for line in said] == ["1_server"]
    assert not (tmp_path / "checks").exists()


@contextmanager
def check_in_its_long_cell(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A check with a database, a kernel, and a process that the kernel started."""
    write_notebook(folder / "sources", "2_long", STARTED, LONG)
    code = (
        "import sys; from pathlib import Path; from labkit.runner.nbval_check import check;"
        "check('embedded', '', print, Path(sys.argv[1]) / 'sources', Path(sys.argv[1]) / 'checks')"
    )
    argv = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            wait_until(lambda: any(one.startswith("sleep") for one in processes_of(folder / "checks")), 120)
            yield process
        finally:
            process.kill()


def test_a_killed_check_leaves_no_process(tmp_path: Path) -> None:
    with check_in_its_long_cell(tmp_path) as process:
        process.kill()
        wait_until(lambda: not processes_of(tmp_path / "checks"), 60)


def test_a_stopped_check_cleans_up_before_it_ends(tmp_path: Path) -> None:
    with check_in_its_long_cell(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert processes_of(tmp_path / "checks") == []
    assert process.returncode == 128 + signal.SIGTERM
    assert "KeyboardInterrupt" in output  # pytest had time to say where it was
