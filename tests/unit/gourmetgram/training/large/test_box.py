"""Programs in a box of limited memory: what becomes of each, and why, is told apart."""

import signal
import sys
import time
from pathlib import Path

import pytest

from gourmetgram.training.large import box
from gourmetgram.training.large.box import Report

MIB = 2**20
ROOM = 200 * MIB


def run(program: str, limit: int = ROOM, **more: object) -> Report:
    return box.run([sys.executable, "-c", program], limit, **more)  # type: ignore[arg-type]


def test_what_fits_ends_by_itself_and_is_listened_to() -> None:
    report = run(
        "import json, time\n"
        "print(json.dumps({'rows': 5}), flush=True)\n"
        "time.sleep(0.3)\n"
        "print(json.dumps({'result': {'x': 1}}))"
    )
    assert (report.ended, report.status, report.complaint) == ("done", 0, "")
    (first, rows), (last, result) = report.said
    assert (rows, result) == ({"rows": 5}, {"result": {"x": 1}})
    assert first + 0.2 < last <= report.seconds
    assert all(0 < taken < ROOM for _, taken in report.memory)


def test_what_takes_more_than_its_limit_is_ended_and_followed_up_to_there() -> None:
    report = run("held = []\nwhile True: held.append(bytearray(2**20))")
    assert (report.ended, report.status) == ("out of memory", -signal.SIGKILL)
    assert report.memory[-1][1] > ROOM
    assert all(taken <= ROOM for _, taken in report.memory[:-1])
    assert report.memory[-1][1] < ROOM + 500 * MIB, "it was seen within some samples"


@pytest.mark.parametrize(
    ("program", "status", "complaint"),
    [
        ("raise ValueError('no such table')", 1, "ValueError: no such table"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
        ("raise MemoryError", 1, "MemoryError"),
    ],
    ids=["error", "killed", "ended", "asked for too much at once"],
)
def test_other_ends_are_not_taken_for_a_lack_of_memory(program: str, status: int, complaint: str) -> None:
    report = run(program)
    assert (report.ended, report.status) == ("failed", status)
    assert report.complaint.endswith(complaint)


def test_in_a_container_the_kernel_counts_whom_it_has_ended() -> None:
    counts = iter([3, 4])
    report = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", kills=lambda: next(counts))
    assert report.ended == "out of memory"


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("low 0\nhigh 0\nmax 131\noom 2\noom_kill 2\noom_group_kill 0\n", 2),
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 1),
        ("oom_kill_disable 0\nunder_oom 0\n", 0),
    ],
    ids=["second version", "first version", "old kernel"],
)
def test_the_kernel_s_count_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, count: int) -> None:
    file = tmp_path / "counts"
    monkeypatch.setattr(box, "KILLS", (tmp_path / "missing", file))
    assert box.kernel_kills() == 0
    file.write_text(written)
    assert box.kernel_kills() == count


def test_who_ends_well_beside_another_that_the_kernel_ended_has_ended_well() -> None:
    counts = iter([3, 4])
    assert run("pass", kills=lambda: next(counts)).ended == "done"


def test_a_line_that_was_cut_off_is_left_out() -> None:
    report = run('import os; os.write(1, b\'{"rows": 1}\\n{"rows": \'); os.kill(os.getpid(), 9)')
    assert [said for _, said in report.said] == [{"rows": 1}]


def test_much_output_and_many_errors_do_not_block() -> None:
    report = run(
        "import sys\nfor i in range(20_000): print('{\"rows\": 1}')\nsys.stderr.write('x' * 500_000 + 'the end')"
    )
    assert len(report.said) == 20_000
    assert report.complaint.endswith("the end")
    assert len(report.complaint) <= 2000


def test_an_interrupted_box_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def interrupted(process: object, *_: object) -> bool:
        seen.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(box, "_watch", interrupted)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run("import time; time.sleep(60)")
    assert time.monotonic() - began < 30
    assert seen[0].poll() == -signal.SIGKILL  # type: ignore[attr-defined]
