"""Notebooks in a place: what comes back, what can be changed in between, and that nothing is left."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labkit.paths import ROOT
from tests.chameleon import namespace
from tests.chameleon.place import open_place, run_notebooks
from tests.chameleon.small_notebooks import BEGIN, write
from tests.support.processes import wait_until

WAYS = sorted({"ports", namespace.way()})
NAMES = "[one.name for one in server.list_servers()]"


@pytest.mark.parametrize("way", WAYS)
def test_a_place(tmp_path: Path, way: str) -> None:
    shows = write(tmp_path / "shows.ipynb", f'print(what, "in", {NAMES})', parameters=f'what = "nobody"\n{BEGIN}')
    reaches = write(
        tmp_path / "reaches.ipynb",
        BEGIN,
        "node = server.get_server('node-data-student')",
        "print(node.execute('echo $USER').stdout, node.get_floating_ip())",
        "1 / 0",
        "print('never')",
    )
    with open_place("everything", way=way) as place:
        shown = place.run(shows, {"what": "who is"})
        assert (shown.error, "who is in ['node-data-classmate', 'node-data-student']" in shown.text) == ("", True)
        reached = place.run(reaches)
        assert (reached.error, reached.failed_cell) == ("ZeroDivisionError: division by zero", "1 / 0")
        assert "ZeroDivisionError" in reached.traceback
        assert len(reached.seconds) == 4
        assert "cc\n" in reached.text
        assert "never" not in reached.text
        place.remove("server", "node-data-student")
        changed = place.run(shows)
        assert (changed.error, "nobody in ['node-data-classmate']" in changed.text) == ("", True)
        assert max(shown.seconds + reached.seconds + changed.seconds) < 60
        with pytest.raises(AssertionError, match=r"shows\.ipynb has no such parameters: where"):
            place.run(shows, {"where": 1})
        with pytest.raises(AssertionError, match="there is no scenario"):
            place.set("lunch_break")
        result = place.result()
        assert [one.name for one in result.notebooks] == ["shows", "reaches", "shows"]
        assert result.damage == []
        folder = place.folder
    assert not folder.exists()
    assert _processes_of(folder) == []


def test_parameters_that_no_notebook_has(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no notebook has the parameters hours"):
        run_notebooks([write(tmp_path / "empty.ipynb", "1")], parameters={"hours": 8})


def test_a_place_without_keys_and_a_cell_that_hangs(tmp_path: Path) -> None:
    keys = "import os; from pathlib import Path; print([Path(os.environ[f'OS_KEYPAIR_{one}_KEY']).exists() for one in ('PUBLIC', 'PRIVATE')])"  # noqa: E501
    notebook = write(tmp_path / "keys.ipynb", keys, "import time; time.sleep(60)")
    result = run_notebooks([notebook, notebook], scenario="no_keypair", timeout=2)
    assert len(result.notebooks) == 1
    assert "[False, False]" in result.notebooks[0].text
    assert result.notebooks[0].error.startswith("CellTimeoutError")
    assert "time.sleep" in result.notebooks[0].failed_cell


RUNS_FOR_LONG = """\
import sys
from pathlib import Path
from tests.chameleon.place import open_place
with open_place("everything", way=sys.argv[2]) as place:
    print(place.folder, flush=True)
    place.run(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("way", WAYS)
def test_nothing_outlives_the_process_that_opened_the_place(tmp_path: Path, way: str) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent has gone")
    notebook = write(
        tmp_path / "long.ipynb",
        BEGIN,
        "server.get_server('node-data-student').execute('setsid -f sleep 3000 >/dev/null 2>&1; echo started')",
        "import subprocess; subprocess.run(['sleep', '3000'])",
    )
    argv = [sys.executable, "-c", RUNS_FOR_LONG, str(notebook), way]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip())
        wait_until(lambda: _names(folder).count("sleep") == 2, "the node and the kernel have started something")
        seen = _processes_of(folder)
        process.send_signal(signal.SIGKILL)
    assert len(seen) >= 5
    wait_until(lambda: not any(one.is_running() for one in seen), "everything has ended", 30)
    shutil.rmtree(folder)


def _processes_of(folder: Path) -> list[psutil.Process]:
    """Processes that were started for a place, by their arguments or by the home that they inherit."""
    return [one for one in psutil.process_iter() if one.pid != os.getpid() and _belongs(one, folder)]


def _belongs(process: psutil.Process, folder: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return any(str(folder) in text for text in (*process.cmdline(), process.environ().get("HOME", "")))
    return False


def _names(folder: Path) -> list[str]:
    found = []
    for process in _processes_of(folder):
        with contextlib.suppress(psutil.Error):
            found.append(process.name())
    return found
