import os
from datetime import datetime
from pathlib import Path

from labkit.runner import folders
from labkit.stack import Stack

NOW = datetime(2026, 11, 21, 6, 0)


def test_two_runs_in_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    one, other = folders.new(tmp_path, NOW), folders.new(tmp_path, NOW)
    assert one != other
    assert (tmp_path / "latest").resolve() == other


def test_the_newest_runs_and_those_that_go_on_are_kept(tmp_path: Path) -> None:
    made = [folders.new(tmp_path, NOW.replace(second=second)) for second in range(8)]
    for age, folder in enumerate(reversed(made)):
        os.utime(folder, (1000 - age, 1000 - age))
    for folder in made[1:]:
        folders.end(folder)
        os.utime(folder, (1000 + int(folder.name[-2:]),) * 2)
    assert folders.remove_old(tmp_path) == made[1:3]
    assert {path for path in tmp_path.iterdir() if not path.is_symlink()} == {made[0], *made[3:]}


def test_containers_of_a_killed_run_are_found_and_those_that_shall_go_on_are_not(tmp_path: Path) -> None:
    killed, kept, goes_on, embedded = (folders.new(tmp_path, NOW.replace(second=second)) for second in range(4))
    for number, folder in enumerate((killed, kept, goes_on)):
        stack = Stack(folder / folders.STACK, "compose", 20 * number)
        folders.note_stack(folder, stack, kept=folder is kept)
    folders.note_stack(embedded, Stack(embedded / folders.STACK, "embedded", 60), kept=False)
    for folder in (killed, kept, embedded):
        folders.end(folder)
    assert [stack.home for stack in folders.stacks(tmp_path, only_lost=True)] == [killed / folders.STACK]
    assert len(folders.stacks(tmp_path)) == 4
