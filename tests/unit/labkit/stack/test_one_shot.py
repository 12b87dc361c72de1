import os
import sys
import threading
import time
from pathlib import Path

import pytest

from labkit.stack import one_shot
from labkit.stack.servers import Process


def process(folder: Path, code: str) -> Process:
    return Process([sys.executable, "-c", code], {**os.environ, "PYTHONUNBUFFERED": "1"}, folder)


def test_lines_are_in_the_log_before_the_end(tmp_path: Path) -> None:
    """It goes on only when the test has seen its first line in the log."""
    log, seen = tmp_path / "logs/one.log", tmp_path / "seen"
    code = "import pathlib, time\nprint('first')\nwhile not pathlib.Path('seen').exists(): time.sleep(0.02)\nprint(2)"

    def answer() -> None:
        deadline = time.monotonic() + 30
        while not (log.exists() and log.read_text() == "first\n") and time.monotonic() < deadline:
            time.sleep(0.02)
        seen.write_text(log.read_text())

    reader = threading.Thread(target=answer)
    reader.start()
    output, status = one_shot.run_to_end(process(tmp_path, code), log)
    reader.join()
    assert seen.read_text() == "first\n"
    assert (output, status) == ("first\n2\n", 0)
    assert log.read_text() == output


def test_a_second_run_adds_to_the_log_and_returns_only_its_own(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    one_shot.run_to_end(process(tmp_path, "print('a')"), log)
    failing = process(tmp_path, "import sys; print('b'); sys.exit('wrong')")
    assert one_shot.run_to_end(failing, log) == ("b\nwrong\n", 1)
    assert log.read_text() == "a\nb\nwrong\n"


def test_what_does_not_end_in_time_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_shot, "ONE_SHOT_SECONDS", 0.5)
    output, status = one_shot.run_to_end(process(tmp_path, "import time; time.sleep(600)"), tmp_path / "one.log")
    assert status == one_shot.LATE
    assert "did not end within 0.5 s" in output
