"""The lab as a newcomer runs it: the real notebooks on a real stack."""

import json
import re

import pytest

from labkit.check.class_table import exercises_in
from labkit.paths import ROOT
from labkit.runner.chapters import chapters
from tests.lab.lab_runs import Ended, is_open, lab_run, loaded_from_elsewhere, processes_of, row

CHAPTERS = chapters(ROOT / "notebooks")
NOTEBOOKS = [chapter.name for chapter in CHAPTERS if not chapter.why_skipped()]
AT_MOST_SECONDS = 1500  # beside other tests; alone it is done in less than half of that

pytestmark = pytest.mark.timeout(AT_MOST_SECONDS + 30)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    less = ("-p", "traffic_seconds=20", "-p", "rows=6_000_000")  # still more than memory holds
    return lab_run(tmp_path_factory.mktemp("real") / "runs", "--solved", *less, timeout=AT_MOST_SECONDS)


def test_it_succeeds(run: Ended) -> None:
    assert run.code == 0, run.output


def test_what_makes_and_deletes_the_server_is_left_out(run: Ended) -> None:
    """It runs in tests/chameleon."""
    left_out = [chapter.name for chapter in CHAPTERS if chapter.name not in NOTEBOOKS]
    assert left_out == ["1_create_server", "9_delete"]
    assert all(row(run.output, name) == ["skipped"] for name in left_out)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_all_cells_ran_and_all_checks_passed(run: Ended, name: str) -> None:
    executed = json.loads((run.folder / f"{name}.ipynb").read_text())
    code = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    cells, passed, _ = row(run.output, name)
    assert cells == str(len(code))
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    done, total = re.fullmatch(r"(\d+) of (\d+)", passed).groups()  # type: ignore[union-attr]
    assert done == total
    printed = "".join("".join(output.get("text", "")) for output in code[-1]["outputs"])
    assert printed.count("✓") == int(total) > 0


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_print_what_the_text_says(run: Ended, name: str) -> None:
    said = json.loads((ROOT / f"build/nbval/{name}.ipynb").read_text())["cells"]
    expected = {cell["id"]: "".join(cell["outputs"][0]["text"]) for cell in said if cell["outputs"]}
    executed = json.loads((run.folder / f"{name}.ipynb").read_text())["cells"]
    printed = {
        cell["id"]: "".join("".join(one["text"]) for one in cell["outputs"])
        for cell in executed
        if cell["id"] in expected
    }
    assert printed == expected


def test_every_exercise_was_tried_and_solved(run: Ended) -> None:
    exercises = json.loads((run.folder / "progress.json").read_text())["exercises"]
    assert set(exercises) == set(exercises_in((ROOT / "notebooks").glob("*.ipynb")))
    assert all(one["solved"] and one["tries"] >= 2 for one in exercises.values())


def test_progress_shows_every_cell(run: Ended) -> None:
    for name in NOTEBOOKS:
        count = int(row(run.output, name)[0])
        shown = run.output.partition(f"{name}: {count} cells\n")[2]
        own = re.split(r"^\w+: \d+ cells$", shown, maxsplit=1, flags=re.M)[0]
        assert len(re.findall(rf"^ +\d+/{count}  \S.* \d+\.\d s$", own, flags=re.M)) == count


def test_the_report_shows_diagrams_and_plots_without_the_internet(run: Ended) -> None:
    assert loaded_from_elsewhere(run.folder) == []
    assert 'class="mermaid"' in (run.folder / "2_application.html").read_text()
    assert (run.folder / "3_endpoints.html").read_text().count('src="data:image/png;base64') >= 3


def test_no_process_no_port_and_no_data_is_left(run: Ended) -> None:
    assert processes_of(run.runs) == []
    executed = (run.folder / "3_endpoints.ipynb").read_text()
    ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", executed)}
    assert ports
    assert not [port for port in ports if is_open(port)]
    assert [path.name for path in (run.folder / "stack").iterdir()] == ["logs"]


def test_the_committed_notebooks_have_no_outputs() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs"), f"{path}: run ./build_docs.sh"
            assert cell.get("execution_count") is None
