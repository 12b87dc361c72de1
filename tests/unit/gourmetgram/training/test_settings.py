"""Settings from the variables of a service, as a notebook is given them."""

import pytest
from pydantic import ValidationError

from gourmetgram.training.settings import TrainingSettings

VARIABLES = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:19092",
    "DATABASE_URL": "postgresql://trainer:secret@127.0.0.1:5432/gourmetgram",
    "CATALOG_URL": "postgresql+psycopg2://trainer:secret@127.0.0.1:5432/iceberg_catalog",
    "S3_ENDPOINT": "http://127.0.0.1:9000",
    "S3_ACCESS_KEY": "trainer",
    "S3_SECRET_KEY": "secret",
    "MODEL_SIGNING_KEY": "a key of this lab, long enough",
}


def test_what_is_empty_was_not_said() -> None:
    settings = TrainingSettings.of(VARIABLES | {"TRUTH_FILE": "", "CODE_REVISION": "", "TRAINING_SEED": "11"})
    assert (settings.truth_file, settings.code_revision, settings.training_seed) == (None, "unknown", 11)


def test_what_is_for_others_is_left_alone() -> None:
    assert TrainingSettings.of(VARIABLES | {"PATH": "/bin"}) == TrainingSettings.of(VARIABLES)


def test_what_has_to_be_said_is_missed() -> None:
    with pytest.raises(ValidationError, match="model_signing_key"):
        TrainingSettings.of(VARIABLES | {"MODEL_SIGNING_KEY": ""})
