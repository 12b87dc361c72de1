"""The notebooks in containers, as a student runs them on Chameleon or on a computer with Docker."""

import json
import re

from labkit.paths import ROOT
from labkit.runner.chapters import chapters
from tests.compose.conftest import ONLY
from tests.lab.lab_runs import Ended, row

NAMES = [chapter.name for chapter in chapters(ROOT / "notebooks", ONLY)]


def test_the_notebooks_run_in_containers(run: Ended) -> None:
    assert run.code == 0, run.output
    assert NAMES == ["2_application", "3_endpoints", "4_realtime", "5_iceberg"]


def test_all_cells_ran_and_all_checks_passed(run: Ended) -> None:
    for name in NAMES:
        code = [
            one for one in json.loads((run.folder / f"{name}.ipynb").read_text())["cells"] if one["cell_type"] == "code"
        ]
        _, passed, _ = row(run.output, name)
        done, total = re.fullmatch(r"(\d+) of (\d+)", passed).groups()  # type: ignore[union-attr]
        assert done == total != "0"
        assert all(cell["execution_count"] for cell in code)
