"""A training from the table to the signed model, on real servers."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow

from gourmetgram.core.features import FEATURES
from gourmetgram.core.model_files import SEEN
from gourmetgram.lakehouse import files, tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.lakehouse.models import ModelStore
from gourmetgram.lakehouse.training_data.properties import LINEAGE
from gourmetgram.training import artifacts, pointer
from gourmetgram.training.errors import BadVersion, NoSuchSnapshot, NotEnough
from gourmetgram.training.job import train
from gourmetgram.training.model import Model
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.store import ArrowFolder
from tests.support.training import PLANTED, START, table

NOW: Final = datetime(2026, 3, 12, tzinfo=UTC)
DAY: Final = 24 * 60 * 60 * 1_000_000
LINE: Final = {"run_id": "manual__1", "offsets": {"gourmetgram.views/0": 5}}


def load_table(settings: TrainingSettings, rows: pa.Table) -> int:
    """Replace the training data by these rows; return the snapshot."""
    into = tables.ensure(open_catalog(settings))[tables.TRAINING_DATA]
    transaction = into.transaction()
    files.write(
        transaction,
        added=[rows.cast(schema_to_pyarrow(into.schema()))],
        removed=files.live(into),
        summary={LINEAGE: json.dumps(LINE)},
        properties={},
    )
    transaction.commit_transaction()
    snapshot = into.current_snapshot()
    assert snapshot
    return snapshot.snapshot_id


def folder_of(settings: TrainingSettings) -> ArrowFolder:
    return ArrowFolder.of(settings, open_storage(settings))


def loaded(settings: TrainingSettings, version: str) -> Model:
    return artifacts.load(folder_of(settings), version, settings.model_signing_key.get_secret_value().encode())


class Trained:
    """Ten days of rows, a later snapshot that has others, and the model `first` of the earlier one."""

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.rows = table(images=4000, seed=4, hours=240)
        self.snapshot = load_table(settings, self.rows)
        load_table(settings, table(images=50, seed=5, hours=240))
        self.metadata = train(settings, NOW, self.snapshot, "first")


@pytest.fixture(scope="module")
def trained(settings: TrainingSettings) -> Trained:
    tables.ensure(open_catalog(settings))
    with pytest.raises(NotEnough, match="empty"):
        train(settings, NOW, None, "none")
    return Trained(settings)


def expected_parts(rows: pa.Table) -> dict[str, pa.Table]:
    """The rows by what they are for, worked out from the times by hand: 9 labelled days, of which 2 are gaps."""
    uploaded = rows["split_time"].cast(pa.int64()).to_numpy()
    labelled = rows["label"].is_valid().to_numpy()
    flagged = rows["already_flagged"].to_numpy()
    first, last = uploaded[labelled].min(), uploaded[labelled].max()
    usable = last + 1 - first - 2 * DAY
    learned = first + round(usable * 0.5)
    calibrated = learned + DAY + round(usable * 0.2)
    training = labelled & ~flagged & (uploaded < learned)
    calibration = labelled & ~flagged & (uploaded >= learned + DAY) & (uploaded < calibrated)
    holdout = labelled & (uploaded >= calibrated + DAY)
    masks = {"training": training, "calibration": calibration, "holdout": holdout}
    return {name: rows.filter(pa.array(mask)) for name, mask in masks.items()}


def test_the_named_snapshot_is_read_and_every_row_has_one_role(trained: Trained) -> None:
    assert trained.metadata["snapshot_id"] == trained.snapshot
    rows = trained.metadata["rows"]
    assert sum(rows.values()) == len(trained.rows)
    assert {name: rows[name] for name in ("training", "calibration", "holdout")} == {
        name: len(part) for name, part in expected_parts(trained.rows).items()
    }
    assert rows["unlabelled"] == trained.rows["label"].null_count
    assert min(rows.values()) > 0


def test_the_ids_of_all_images_that_were_used_lie_beside_the_model(trained: Trained) -> None:
    storage = open_storage(trained.settings)
    path = f"{trained.settings.models.partition('://')[2]}/first/{SEEN}"
    found = pq.read_table(path, filesystem=storage)
    assert found.schema.names == ["image_id"]
    used = {image for part in expected_parts(trained.rows).values() for image in part["image_id"].to_pylist()}
    assert found["image_id"].to_pylist() == sorted(used)
    store = ModelStore(trained.settings, storage)
    between = sorted({*trained.rows["image_id"].to_pylist()} - used)[0]
    assert store.that_saw(pa.array([between, *sorted(used)[:2]])) == {"first": 2}


def test_the_metadata_tells_where_the_model_comes_from(trained: Trained) -> None:
    said = loaded(trained.settings, "first").metadata
    assert said == trained.metadata
    assert said["lineage"] == LINE
    assert (said["code_revision"], said["seed"], said["policy_version"]) == ("abc123", 7, "v1")
    assert said["features"] == list(FEATURES)
    assert said["created_at"] == NOW.isoformat()
    assert set(said["libraries"]) == {"scikit-learn", "numpy", "scipy", "joblib"}
    assert said["split"]["training_from"] == (START - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6 + (
        trained.rows["split_time"].cast(pa.int64())[0].as_py() - START.timestamp() * 1e6
    )


def test_the_snapshot_is_kept_by_a_tag(trained: Trained) -> None:
    refs = open_catalog(trained.settings).load_table(tables.TRAINING_DATA).refs()
    assert refs["model-first"].snapshot_id == trained.snapshot


def test_what_was_planted_is_found_and_beats_rules_and_guess(trained: Trained) -> None:
    model = loaded(trained.settings, "first")
    found = dict(zip(FEATURES, model.calibrated.classifier.coef_[0], strict=True))
    assert all(np.sign(found[name]) == np.sign(effect) for name, effect in PLANTED.items())
    assert max(found, key=lambda name: abs(found[name])) == "comments_1hr"
    gain = trained.metadata["metrics"]["headline"]["gain"]
    assert gain["over_rules"]["low"] > 0
    assert gain["over_constant"]["low"] > 0


def test_the_headline_can_be_worked_out_again_from_the_stored_model(trained: Trained) -> None:
    holdout = expected_parts(trained.rows)["holdout"]
    fresh = holdout.filter(pc.invert(holdout["already_flagged"]))
    scores = loaded(trained.settings, "first").score(np.column_stack([fresh[name].to_numpy() for name in FEATURES]))
    headline = trained.metadata["metrics"]["headline"]
    labels = fresh["label"].to_numpy(zero_copy_only=False)
    assert (headline["rows"], headline["flagged"]) == (len(fresh), labels.sum())
    assert headline["judges"]["model"]["brier"]["value"] == pytest.approx(((scores - labels) ** 2).mean())


def test_the_same_snapshot_and_seed_give_the_same_model(trained: Trained) -> None:
    train(trained.settings, NOW, trained.snapshot, "same")
    train(trained.settings.model_copy(update={"training_seed": 8}), NOW, trained.snapshot, "other")
    first, same, other = (loaded(trained.settings, version).calibrated for version in ("first", "same", "other"))
    np.testing.assert_array_equal(first.classifier.coef_, same.classifier.coef_)
    np.testing.assert_array_equal(first.classifier.intercept_, same.classifier.intercept_)
    np.testing.assert_array_equal(first.calibrator.coef_, same.calibrator.coef_)
    assert not np.array_equal(first.classifier.coef_, other.classifier.coef_)


def test_a_world_without_information_gives_no_advantage(trained: Trained) -> None:
    """The same size as the planted one, whose advantage is seen: only the information is missing."""
    snapshot = load_table(trained.settings, table(images=4000, seed=4, hours=240, planted={}))
    metadata = train(trained.settings, NOW, snapshot, "null")
    gain: dict[str, Any] = metadata["metrics"]["headline"]["gain"]
    assert gain["over_constant"]["low"] <= 0
    assert gain["over_rules"]["low"] <= 0
    judges = metadata["metrics"]["headline"]["judges"]
    assert judges["model"]["roc_auc"]["low"] <= 0.5 <= judges["model"]["roc_auc"]["high"]


def test_the_truth_is_read_from_where_it_is_said_to_be(trained: Trained, tmp_path: Path) -> None:
    holdout = expected_parts(trained.rows)["holdout"]
    images = sorted({*holdout["image_id"].to_pylist()})
    truth = tmp_path / "images.jsonl"
    lines = ({"image_id": image, "story": "x", "harmful": image % 3 == 0} for image in images[::2])
    truth.write_text("".join(json.dumps(line) + "\n" for line in lines))
    metadata = train(trained.settings.model_copy(update={"truth_file": truth}), NOW, trained.snapshot, "graded")
    graded = metadata["metrics"]["planted_truth"]
    assert graded["images"] == len(images[::2])
    assert trained.metadata["metrics"]["planted_truth"] is None


def test_what_cannot_be_is_said_before_anything_is_learned(trained: Trained) -> None:
    with pytest.raises(BadVersion, match="there is a model first already"):
        train(trained.settings, NOW, trained.snapshot, "first")
    with pytest.raises(NoSuchSnapshot, match="has no snapshot 5"):
        train(trained.settings, NOW, 5, "fifth")
    refs = open_catalog(trained.settings).load_table(tables.TRAINING_DATA).refs()
    assert "model-fifth" not in refs


def test_the_command_trains_and_says_how_good_it_is(trained: Trained, variables: dict[str, str]) -> None:
    command = [
        sys.executable, "-W", "error", "-m", "gourmetgram.training", "train",
        "--snapshot", str(trained.snapshot), "--version", "told",
    ]  # fmt: skip
    run = partial(subprocess.run, command, env=os.environ | variables, capture_output=True, text=True, timeout=120)
    done = run(check=False)
    assert done.returncode == 0, done.stderr
    assert f"model told, trained on snapshot {trained.snapshot}" in done.stdout
    assert "average precision gained over_rules" in done.stdout
    again = run(check=False)
    assert (again.returncode, again.stderr.strip()) == (
        1,
        "there is a model told already; give the new one a version of its own",
    )


def test_a_deployed_model_is_the_one_that_the_pointer_names(trained: Trained) -> None:
    folder = folder_of(trained.settings)
    assert pointer.deployed(folder) is None
    artifacts.deploy(folder, "first", trained.settings.model_signing_key.get_secret_value().encode())
    assert pointer.deployed(folder) == "first"
