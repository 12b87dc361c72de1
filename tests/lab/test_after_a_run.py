"""What a run leaves for the person who reads about it: its logs, its report, and the services that shall go on."""

import os
import re
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from labkit.paths import ROOT
from labkit.runner import folders
from labkit.stack import Stack
from tests.lab.lab_runs import lab_run, processes_of, start, wait_until, write_notebook

COMPOSE = (ROOT / "docker/docker-compose.yaml").read_text()
PHOTOS = "from labkit import lab\nlab.up('extract-data')"


def test_the_log_that_a_failure_names_is_there_afterwards(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yaml"
    broken.write_text(COMPOSE.replace('"gourmetgram.setup.extract_photos"', '"gourmetgram.setup.extract_fotos"'))
    write_notebook(tmp_path / "notebooks", "2_photos", PHOTOS)
    ended = lab_run(tmp_path / "runs", "--notebooks", str(tmp_path / "notebooks"), LAB_COMPOSE_FILE=str(broken))
    named = re.search(r"The whole log is (\S+)\.\n", ended.output)
    assert named, ended.output
    assert "No module named gourmetgram.setup.extract_fotos" in Path(named[1]).read_text()


def test_a_failed_command_is_shown_with_what_it_said(tmp_path: Path) -> None:
    write_notebook(tmp_path / "notebooks", "0_shell", "%%bash\nset -eu\necho before\nls /no/such/folder\necho after")
    ended = lab_run(tmp_path / "runs", "--notebooks", str(tmp_path / "notebooks"))
    assert ended.code == 1
    assert re.search(r"^The command returned non-zero exit status \d+\.\n  ls: .*/no/such/folder", ended.output, re.M)


def test_services_that_go_on_keep_their_data_until_they_are_stopped(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write_notebook(tmp_path / "notebooks", "2_photos", PHOTOS)
    ended = lab_run(runs, "--keep", "--notebooks", str(tmp_path / "notebooks"))
    command = re.search(r"LAB_HOME=(\S+) LAB_PORT_OFFSET=(\d+) \./lab down", ended.output)
    assert command, ended.output
    kept, later = ended.folder, folders.new(runs, datetime.now() + timedelta(minutes=1))
    folders.end(later)
    try:
        assert folders.remove_old(runs, keep=1) == []
        assert Stack(Path(command[1]), "embedded").ps()
    finally:
        where = {"LAB_HOME": command[1], "LAB_PORT_OFFSET": command[2]}
        subprocess.run([ROOT / "lab", "down"], env=os.environ | where, check=True, timeout=60)
    assert processes_of(runs) == []
    assert folders.remove_old(runs, keep=1) == [kept]
    assert later.exists()
    assert not kept.exists()


def test_the_report_of_an_interrupted_run_does_not_say_that_all_is_well(tmp_path: Path) -> None:
    write_notebook(tmp_path / "notebooks", "0_long", "import subprocess\nsubprocess.run(['sleep', '600'])")
    with start(tmp_path / "runs", "--notebooks", str(tmp_path / "notebooks")) as process:
        wait_until(lambda: any(command.startswith("sleep") for command in processes_of(tmp_path / "runs")), 60)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    report = (tmp_path / "runs/latest/index.html").read_text()
    assert "Interrupted." in report
    assert "Everything ran." not in report


def test_a_damaged_notebook_is_named_before_anything_starts(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "notebooks", "2_merged", "1")
    path.write_text("<<<<<<< HEAD\n" + path.read_text())
    ended = lab_run(tmp_path / "runs", "--notebooks", str(tmp_path / "notebooks"))
    assert ended.code == 2
    assert f"{path} is not a notebook" in ended.output
    assert "Traceback" not in ended.output
    assert not ended.runs.exists()
