"""`python -m gourmetgram.training [--snapshot ID] [--version V]`: train a model, and say how good it is."""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gourmetgram.core.logs import set_up_logging
from gourmetgram.training.bootstrap import Estimate
from gourmetgram.training.errors import TrainingError
from gourmetgram.training.job import train
from gourmetgram.training.settings import TrainingSettings

SHOWN = ("average_precision", "roc_auc", "flag_share", "flag_precision", "brier", "calibration_error")


def main() -> None:
    """Do what the command line says; what is missing is said in a sentence, and the exit status is 1."""
    parser = argparse.ArgumentParser(prog="training", description=__doc__)
    parser.add_argument("--snapshot", type=int, help="id of a snapshot of the training data; else the present one")
    parser.add_argument("--version", help="name of the new model; else the time")
    said = parser.parse_args()
    settings = TrainingSettings()
    set_up_logging()
    try:
        metadata = train(settings, datetime.now(UTC), said.snapshot, said.version)
    except TrainingError as error:
        sys.exit(str(error))
    print("\n".join(told(metadata)))


def told(metadata: Mapping[str, Any]) -> list[str]:
    """What a person wants to know first."""
    headline = metadata["metrics"]["headline"]
    width = max(map(len, SHOWN))
    return [
        f"model {metadata['version']}, trained on snapshot {metadata['snapshot_id']}",
        "rows: " + ", ".join(f"{count} {role.replace('_', ' ')}" for role, count in metadata["rows"].items()),
        f"holdout, not flagged before: {headline['rows']} rows of {headline['images']} images, "
        f"{headline['flagged']} flagged later",
        *(
            f"{judge:<9} {name:<{width}} {_estimate(estimates[name])}"
            for judge, estimates in headline["judges"].items()
            for name in SHOWN
        ),
        *(f"average precision gained {name} {_estimate(gain)}" for name, gain in headline["gain"].items()),
    ]


def _estimate(estimate: Estimate) -> str:
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None or low is None or high is None:
        return "not defined"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
