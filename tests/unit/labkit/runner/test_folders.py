import os
from datetime import datetime
from pathlib import Path

from labkit.runner import folders

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
