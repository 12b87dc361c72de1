from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labkit.alone import alone


def test_nobody_enters_while_somebody_is_inside(tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")

    def add_one(_: int) -> None:
        with alone(tmp_path / "folder/lock"):
            number.write_text(str(int(number.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(400)))
    assert number.read_text() == "400"
