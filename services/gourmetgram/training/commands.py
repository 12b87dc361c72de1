"""What `python -m gourmetgram.training` can do: each command is a function, and prints for people."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import psycopg2

from gourmetgram.lakehouse.catalog import open_storage
from gourmetgram.training import artifacts, pointer
from gourmetgram.training.bootstrap import Estimate
from gourmetgram.training.errors import TrainingError
from gourmetgram.training.gate import compare
from gourmetgram.training.job import train as train_model
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.store import ArrowFolder

Command = Callable[[TrainingSettings, Namespace], None]

SHOWN: Final = ("average_precision", "roc_auc", "flag_share", "flag_precision", "brier", "calibration_error")

SET_MODE: Final = "INSERT INTO scoring_mode (mode, changed_by) VALUES (%s, %s)"

HISTORY: Final = "SELECT created_at, mode, changed_by FROM scoring_mode ORDER BY id DESC LIMIT 10"


class WorseModel(TrainingError):
    """The gate does not let a model through."""


class NothingToGoBackTo(TrainingError):
    """There was no model before the present one."""


def train(settings: TrainingSettings, said: Namespace) -> None:
    """Train a model, and say how good it is; it serves nobody before it is deployed."""
    metadata = train_model(settings, datetime.now(UTC), said.snapshot, said.version)
    print("\n".join(told(metadata)))


def deploy(settings: TrainingSettings, said: Namespace) -> None:
    """Let a model be the one that is used, unless it is worse than the present one."""
    folder, key = _folder(settings), _key(settings)
    present = pointer.deployed(folder)
    if present and present != said.version and not said.anyway:
        comparison = compare(settings, artifacts.load(folder, said.version, key), artifacts.load(folder, present, key))
        if comparison.is_worse:
            raise WorseModel(
                f"model {said.version} is worse than {present}, which stays: {comparison.told()}. "
                "`--anyway` deploys it nevertheless."
            )
        print(comparison.told())
    artifacts.deploy(folder, said.version, key)
    print(f"model {said.version} is deployed; the scorer takes it over within seconds")


def roll_back(settings: TrainingSettings, _: Namespace) -> None:
    """Go back to the model before the present one, without asking which is better."""
    folder = _folder(settings)
    before = pointer.previous(folder)
    if before is None:
        raise NothingToGoBackTo("no model was deployed before the present one; `mode heuristic` goes back to the rules")
    artifacts.deploy(folder, before, _key(settings))
    print(f"model {before} is deployed again")


def mode(settings: TrainingSettings, said: Namespace) -> None:
    """Say who decides from now on: the rules, the rules with the model in their shadow, or the model."""
    if said.mode != "heuristic" and pointer.deployed(_folder(settings)) is None:
        raise TrainingError("no model is deployed yet; train one, and deploy it")
    connection = psycopg2.connect(settings.database_url.get_secret_value())
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(SET_MODE, (said.mode, said.by))
            cursor.execute(HISTORY)
            rows = cursor.fetchall()
    finally:
        connection.close()
    for at, name, who in rows:
        print(f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC  {name:9}  {who}")


def _folder(settings: TrainingSettings) -> ArrowFolder:
    return ArrowFolder.of(settings, open_storage(settings))


def _key(settings: TrainingSettings) -> bytes:
    return settings.model_signing_key.get_secret_value().encode()


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
