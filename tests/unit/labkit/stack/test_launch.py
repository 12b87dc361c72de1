import json
import os
import subprocess
import sys
from pathlib import Path

from labkit.stack import launch


def test_a_process_gets_exactly_what_was_described(tmp_path: Path) -> None:
    code = "import os, json, sys; print(json.dumps([dict(os.environ), os.getcwd(), os.getpid()]))"
    file = tmp_path / "process.json"
    odd = {"PLAIN": "1", "ODD": 'spaces "quotes" %percent\nnewline', "LC_ALL": "C.UTF-8"}
    launch.write(file, [sys.executable, "-c", code], odd, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600

    started = subprocess.Popen([sys.executable, launch.__file__, str(file)], stdout=subprocess.PIPE, text=True)
    environment, folder, pid = json.loads(started.communicate()[0])

    assert environment == odd
    assert os.path.realpath(folder) == os.path.realpath(tmp_path)
    assert pid == started.pid  # the same process, so that a supervisor's signals reach it
