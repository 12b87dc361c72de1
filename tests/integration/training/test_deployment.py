"""Models change places: through a gate, back again, and who decides is written down with the one who said so."""

from argparse import Namespace
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg2
import pytest
from sklearn.metrics import average_precision_score

from gourmetgram.core.features import FEATURES
from gourmetgram.lakehouse import tables
from gourmetgram.lakehouse.catalog import open_catalog, open_storage
from gourmetgram.training import artifacts, commands, pointer
from gourmetgram.training.commands import NothingToGoBackTo, WorseModel
from gourmetgram.training.errors import TrainingError
from gourmetgram.training.gate import compare
from gourmetgram.training.job import train
from gourmetgram.training.model import Model
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.store import ArrowFolder
from labkit.stack import Stack
from tests.integration.training.test_job import expected_parts, load_table
from tests.support.database import superuser_rows
from tests.support.training import table

NOW = datetime(2026, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(settings: TrainingSettings) -> ArrowFolder:
    return ArrowFolder.of(settings, open_storage(settings))


@pytest.fixture(scope="module")
def key(settings: TrainingSettings) -> bytes:
    return settings.model_signing_key.get_secret_value().encode()


@pytest.fixture(scope="module")
def good(settings: TrainingSettings, folder: ArrowFolder, key: bytes) -> Model:
    tables.ensure(open_catalog(settings))
    train(settings, NOW, load_table(settings, table(images=4000, seed=4, hours=240)), "good")
    return artifacts.load(folder, "good", key)


@pytest.fixture(scope="module")
def bad(good: Model, folder: ArrowFolder, key: bytes) -> Model:
    """The same model, but whatever speaks for a flag speaks against it."""
    calibrated = deepcopy(good.calibrated)
    calibrated.classifier.coef_ = -calibrated.classifier.coef_
    metadata = {name: value for name, value in good.metadata.items() if name != "signature"} | {"version": "bad"}
    artifacts.publish(folder, Model(metadata, good.scaler, calibrated, good.encoder), {}, key)
    return artifacts.load(folder, "bad", key)


def said(**arguments: Any) -> Namespace:
    return Namespace(**{"anyway": False, "by": "a test"} | arguments)


def test_both_models_are_measured_on_the_same_rows(settings: TrainingSettings, good: Model, bad: Model) -> None:
    holdout = expected_parts(table(images=4000, seed=4, hours=240))["holdout"]
    rows = holdout.filter([not flagged for flagged in holdout["already_flagged"].to_pylist()])
    labels = rows["label"].to_pylist()
    features = np.column_stack([rows[name].to_numpy() for name in FEATURES])
    found = compare(settings, bad, good)
    assert found.new == pytest.approx(average_precision_score(labels, bad.score(features)))
    assert found.present == pytest.approx(average_precision_score(labels, good.score(features)))
    assert found.rows == len(labels)
    assert found.is_worse
    assert found.gain["high"] is not None
    assert found.gain["high"] < 0


def test_a_worse_model_is_kept_out_unless_somebody_insists_and_can_be_taken_back(
    settings: TrainingSettings, good: Model, bad: Model, folder: ArrowFolder
) -> None:
    with pytest.raises(TrainingError, match="no model is deployed yet"):
        commands.mode(settings, said(mode="model"))
    with pytest.raises(NothingToGoBackTo):
        commands.roll_back(settings, said())
    commands.deploy(settings, said(version="good"))
    with pytest.raises(WorseModel, match=r"bad is worse than good, which stays: average precision 0\.\d+, against"):
        commands.deploy(settings, said(version="bad"))
    assert pointer.deployed(folder) == "good"
    commands.deploy(settings, said(version="bad", anyway=True))
    assert pointer.deployed(folder) == "bad"
    commands.roll_back(settings, said())
    assert pointer.deployed(folder) == "good"


def test_who_decides_is_added_to_the_history(
    settings: TrainingSettings, good: Model, training_stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.deploy(settings, said(version="good"))
    for mode in ("shadow", "model", "heuristic"):
        commands.mode(settings, said(mode=mode))
    with superuser_rows(training_stack) as rows:
        assert rows("SELECT mode, changed_by FROM scoring_mode ORDER BY id DESC LIMIT 3") == [
            ("heuristic", "a test"),
            ("model", "a test"),
            ("shadow", "a test"),
        ]
    assert "UTC  shadow     a test" in capsys.readouterr().out
    with (
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
        psycopg2.connect(settings.database_url.get_secret_value()) as connection,
    ):
        connection.cursor().execute("UPDATE scoring_mode SET mode = 'model'")
