import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labkit.book.__main__ import main
from labkit.paths import ROOT
from tests.support.trovi import imported, refusals
from tests.unit.labkit.book.small_artifact import AUTHORS, FACTS
from tests.unit.labkit.book.small_lab import PASSWORD, Lab, build_error

STAGE = "# Start\n\nWords.\n"


def with_facts(root: Path, facts: str) -> Path:
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs/artifact.yaml").write_text(facts)
    return root


def test_the_portal_can_import_this_lab() -> None:
    artifact = imported(ROOT)
    assert refusals(artifact) == []
    assert artifact["environment_setup"] == [{"type": "jupyterhub", "arguments": "{}"}]
    assert artifact["title"] == (ROOT / "README.md").read_text().splitlines()[0].removeprefix("# ")
    assert "notebooks/0_intro.ipynb" in artifact["long_description"]
    for snippet in (ROOT / "snippets").glob("[0-9]*.md"):
        title = next(line for line in snippet.read_text().splitlines() if line.startswith("# "))
        assert f"- {title.removeprefix('# ')} (" in artifact["long_description"]


def test_the_site_has_the_title_of_the_artifact() -> None:
    assert runpy.run_path(str(ROOT / "docs/conf.py"))["project"] == imported(ROOT)["title"]


def test_the_portal_reads_what_the_facts_say(lab: Lab) -> None:
    minutes = "kernelspec:\n  name: python3\nlab:\n  minutes: {}\n---\n\n"
    root = with_facts(lab(_0_start=STAGE, _1_more=STAGE.replace("Start", "More")), FACTS.format(authors=AUTHORS))
    for name, number in (("0_start", 50), ("1_more", 65)):  # 115 minutes are two hours
        snippet = root / f"snippets/{name}.md"
        snippet.write_text(snippet.read_text().replace("kernelspec:\n  name: python3\n---\n\n", minutes.format(number)))
    assert main([], root) == 0
    assert imported(root) == {
        "title": "A small lab: “one stage”",
        "short_description": "Short.",
        "long_description": "Takes 2 hours.\n\n- Start (50 minutes)\n- More (65 minutes)",
        "tags": ["education", "reproducible research"],
        "authors": [
            {"full_name": "Ana Díaz", "email": "ana@uni.example.org", "affiliation": "A university"},
            {"full_name": "Ben", "email": "ben@example.org", "affiliation": None},
        ],
        "environment_setup": [{"type": "jupyterhub", "arguments": "{}"}],
    }
    assert refusals(imported(root)) == []


def test_a_lab_without_facts_has_no_crate(lab: Lab) -> None:
    root = lab()
    assert main([], root) == 0
    assert not (root / "trovi.json").exists()


def test_it_says_the_same_in_each_build_and_check_finds_it_stale(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    root = with_facts(lab(), FACTS.format(authors="[]"))
    assert main([], root) == 0
    first = (root / "trovi.json").read_bytes()
    assert main([], root) == 0
    assert main(["--check"], root) == 0
    assert (root / "trovi.json").read_bytes() == first
    with_facts(root, FACTS.format(authors="[]").replace("Short.", "Shorter."))
    capsys.readouterr()
    assert main(["--check"], root) == 1
    assert "stale: trovi.json\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title: "A small lab: “one stage”"\n', "", "title: Field required"),
        ("A small lab: “one stage”", " ", "title: "),
        ("A small lab", "A" * 141, "title: String should have at most 140 characters"),
        ("Short.", "s" * 201, "short_description: String should have at most 200 characters"),
        ("Takes", "T" * 4990, "long_description: expected at most 5000 characters with all stages filled in, got 50"),
        ("$hours", "$days", "long_description: expected $stages, $hours and no other $"),
        ("$hours", "5 $", "long_description: expected $stages, $hours and no other $"),
        ("[education, reproducible research]", "[]", "tags: List should have at least 1 item"),
        ("[education, reproducible research]", '["education, storage"]', "tags.0: "),
        ("education,", f"{'e' * 33},", "tags.0: String should have at most 32 characters"),
        ("ana@uni.example.org", "ana at uni.example.org", "authors.0.email: "),
        ("email: ana@uni.example.org, ", "", "authors.0.email: Field required"),
        ("name: Ana Díaz", 'name: ""', "authors.0.name: "),
        ("environment: jupyterhub", "environment: moon", "environment: Input should be 'jupyterhub'"),
        ("archive: small", "archive: ../small", "archive: "),
        ("begin: notebooks", "begin: /notebooks", "begin: "),
        ("begin:", "start: x\nbegin:", "start: Extra inputs are not permitted"),
        ("tags: [", "tags: {", "expected YAML"),
        ("Short.", PASSWORD, "trovi.json contains the value of DB_PASSWORD"),
    ],
)
def test_what_the_portal_would_refuse_does_not_get_there(lab: Lab, old: str, new: str, said: str) -> None:
    facts = FACTS.format(authors=AUTHORS)
    assert old in facts
    error = build_error(with_facts(lab(), facts.replace(old, new, 1)))
    assert said in error
    assert "artifact.yaml" in error or "docker/.env" in error


def test_the_stages_count_for_the_length(lab: Lab) -> None:
    facts = FACTS.format(authors="[]").replace("Takes", "T" * 4900)
    assert main([], with_facts(lab(), facts)) == 0
    error = build_error(with_facts(lab(_0_start=STAGE.replace("Start", "S" * 100)), facts))
    assert "long_description: expected at most 5000 characters" in error


Change = Callable[[list[dict[str, Any]]], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda graph: graph[1].pop("name"), "title is required"),
        (lambda graph: graph[1].update(name="t" * 141), "title is too long"),
        (lambda graph: graph[1].update(disambiguatingDescription=" "), "short_description is required"),
        (lambda graph: graph[1].update(description="d" * 5001), "long_description is too long"),
        (lambda graph: graph[1].update(keywords="education, food"), "unknown tag 'food'"),
        (lambda graph: graph[1].update(keywords=""), "unknown tag ''"),
        (lambda graph: graph[1].pop("actionApplication"), "a version has one environment"),
        (lambda graph: graph[-1].update(trovi_type="moon"), "unknown environment moon"),
        (lambda graph: graph[2].pop("email"), "None is no e-mail address"),
        (lambda graph: graph[2].update(email="ana@localhost"), "ana@localhost is no e-mail address"),
        (lambda graph: graph[2].pop("name"), "an author has no name"),
    ],
)
def test_the_stand_in_for_the_portal_refuses_what_the_portal_does(lab: Lab, change: Change, said: str) -> None:
    root = with_facts(lab(), FACTS.format(authors=AUTHORS))
    assert main([], root) == 0
    crate = json.loads((root / "trovi.json").read_text())
    change(crate["@graph"])
    (root / "trovi.json").write_text(json.dumps(crate))
    assert refusals(imported(root)) == [said]


def test_one_author_that_is_no_list_breaks_the_import(lab: Lab) -> None:
    """Why the crate holds lists of one: the portal goes through authors and environments without looking."""
    root = with_facts(lab(), FACTS.format(authors=AUTHORS))
    assert main([], root) == 0
    crate = json.loads((root / "trovi.json").read_text())
    crate["@graph"][1]["author"] = crate["@graph"][1]["author"][0]
    (root / "trovi.json").write_text(json.dumps(crate))
    with pytest.raises(AttributeError):
        imported(root)
