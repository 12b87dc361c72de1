"""What one environment writes, another one reads: the versions must go together."""

import re

import pytest

from labkit.paths import ROOT

PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ \\;]+)(?: *;[^\\\n]*)?", re.MULTILINE)


def pinned(name: str) -> dict[str, set[str]]:
    """Versions by package; several where they differ by Python version or platform."""
    found: dict[str, set[str]] = {}
    for package, version in PINNED.findall((ROOT / "locks" / f"{name}.txt").read_text()):
        found.setdefault(package, set()).add(version)
    return found


@pytest.mark.parametrize("package", ["scikit-learn", "numpy", "scipy", "joblib"])
def test_the_scorer_loads_models_with_what_they_are_made_with(package: str) -> None:
    scorer, training, lab = (pinned(name)[package] for name in ("services", "training", "lab"))
    assert scorer == training == lab


def test_training_in_docker_is_training_without() -> None:
    """Without Docker the training runs in the lab's own environment: no version of the image may be another one."""
    lab, training = pinned("lab"), pinned("training")
    assert len(training) > 100
    assert {name: versions for name, versions in training.items() if not versions <= lab.get(name, set())} == {}


def test_training_and_airflow_read_and_write_the_same_tables() -> None:
    for package in ("pyiceberg", "pyarrow"):
        assert pinned("training")[package] == pinned("airflow")[package]
