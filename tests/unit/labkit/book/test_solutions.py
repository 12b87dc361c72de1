import json
from pathlib import Path

import pytest

from labkit.book.__main__ import main
from labkit.book.new_stage import write
from tests.unit.labkit.book.small_lab import BODY, FRONT_MATTER, Lab, build_error, built

EXERCISE = """
## Exercises

```{code-cell}
:tags: [node-data]
:id: exercise-0-1

answer = ...
```

```{code-cell}
:tags: [node-data]
:id: check-0-1

with lab.exercise("0.1", answer) as exercise:
    exercise.check("it is 42", lambda it: it == 42, "six times seven")
```
"""
RIGHT = "```{code-cell}\n:tags: [node-data]\n:id: exercise-0-1\n\nanswer = 42\n```\n"
WRONG = "```{code-cell}\n:tags: [node-data, wrong]\n:id: exercise-0-1\n\nanswer = 41\n```\n"


def with_solutions(root: Path, text: str) -> Path:
    (root / "solutions").mkdir(exist_ok=True)
    (root / "solutions/0_start.md").write_text(FRONT_MATTER + "# Solutions\n\n" + text)
    return root


def test_each_mistake_is_tried_before_the_solution(lab: Lab) -> None:
    root = with_solutions(lab(_0_start=BODY + EXERCISE), RIGHT + WRONG)
    cells = {cell["id"]: "".join(cell["source"]) for cell in built(root, "build/solved")["cells"]}
    assert [name for name in cells if "0-1" in name] == [
        "exercise-0-1", "check-0-1", "open-0-1",
        "wrong-0-1-1", "check-0-1-wrong-1", "refused-0-1-1",
        "right-0-1", "check-0-1-right", "solved-0-1",
    ]  # fmt: skip
    assert cells["check-0-1-right"] == cells["check-0-1-wrong-1"] == cells["check-0-1"]
    assert "answer = 41" in cells["wrong-0-1-1"]
    assert "answer = 42" in cells["right-0-1"]


def test_a_students_notebook_has_no_solution(lab: Lab) -> None:
    root = with_solutions(lab(_0_start=BODY + EXERCISE), RIGHT + WRONG)
    assert main([], root) == 0
    for file in (root / "notebooks/0_start.ipynb", root / "index.md", root / "build/nbval/0_start.ipynb"):
        assert "answer = 42" not in file.read_text()
        assert "answer = 41" not in file.read_text()


def test_what_grades_is_folded_away(lab: Lab) -> None:
    notebook = built(lab(_0_start=BODY + EXERCISE))
    folded = {cell["id"] for cell in notebook["cells"] if cell["metadata"].get("jupyter", {}).get("source_hidden")}
    assert folded == {"check-0-1"}


def test_a_copy_without_solutions_builds(lab: Lab) -> None:
    root = lab(_0_start=BODY + EXERCISE)
    assert main([], root) == 0
    assert not (root / "build/solved").exists()


@pytest.mark.parametrize(
    ("solutions", "said"),
    [
        (RIGHT, "at least one mistake"),
        (WRONG, "expected one solution"),
        (RIGHT + RIGHT + WRONG, "expected one solution"),
        ("", "expected one solution"),
        (RIGHT + WRONG + RIGHT.replace("0-1", "0-2"), "has no exercise exercise-0-2"),
    ],
)
def test_an_exercise_needs_one_solution_and_a_mistake(lab: Lab, solutions: str, said: str) -> None:
    error = build_error(with_solutions(lab(_0_start=BODY + EXERCISE), solutions))
    assert said in error
    assert "solutions/0_start.md" in error


def test_an_exercise_needs_a_check(lab: Lab) -> None:
    root = with_solutions(lab(_0_start=BODY + EXERCISE.replace("check-0-1", "other")), RIGHT + WRONG)
    assert "needs a cell with the id check-0-1" in build_error(root)


def test_a_new_stage_builds_as_it_is(lab: Lab) -> None:
    root = with_solutions(lab(_0_start=BODY + EXERCISE), RIGHT + WRONG)
    assert [file.name for file in write(root, "10_dashboards")] == ["10_dashboards.md", "10_dashboards.md"]
    assert main([], root) == 0
    notebook = json.loads((root / "notebooks/10_dashboards.ipynb").read_text())
    assert "# Part 10: dashboards" in "".join(notebook["cells"][0]["source"])
    assert (root / "build/solved/10_dashboards.ipynb").exists()


@pytest.mark.parametrize("name", ["dashboards", "10-dashboards", "10_Dash", "../10_x", "10_", "0_again"])
def test_a_new_stage_needs_a_name_and_a_free_number(lab: Lab, name: str) -> None:
    from labkit.book.errors import SnippetError

    root = lab()
    before = sorted(root.rglob("*"))
    with pytest.raises(SnippetError, match=r"expected a number and a topic|is taken by 0_start\.md"):
        write(root, name)
    assert sorted(root.rglob("*")) == before
