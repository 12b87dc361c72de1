import subprocess
import sys
from pathlib import Path

from labkit.book.build import Book
from tests.unit.labkit.book.small_lab import BODY, make_lab


def test_nbval_notices_another_output(tmp_path: Path) -> None:
    other = BODY.replace('print("one")', 'print("another")')
    book = Book(make_lab(tmp_path, _0_same=BODY, _1_other=other))
    book.write(book.render())
    tool = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    folder = str(tmp_path / "build/nbval")
    said = subprocess.run([*tool, folder], capture_output=True, check=False, timeout=240, text=True).stdout
    assert "1 failed, 3 passed" in said
    assert "1_other" in said.partition("short test summary")[2]
