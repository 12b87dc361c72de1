"""PostgreSQL and object storage with a table of training data whose answer was planted."""

import pytest
from pydantic import SecretStr

from gourmetgram.training.settings import TrainingSettings
from labkit.stack import Stack
from tests.support.lakehouse import SERVICES, environment, own_settings

KEY = "the key of the lab of these tests"


@pytest.fixture(scope="module")
def training_stack(new_stack: Stack) -> Stack:
    """The servers that a training needs, and nothing else."""
    new_stack.up(*SERVICES, "migrate")
    return new_stack


@pytest.fixture(scope="module")
def settings(training_stack: Stack) -> TrainingSettings:
    """Settings of a lakehouse that is still empty."""
    login = f"trainer:{training_stack.setting('TRAINER_DB_PASSWORD')}@{training_stack.address('postgres')}"
    trainer = f"postgresql://{login}/gourmetgram"
    lakehouse = own_settings(training_stack, "training", database_url=SecretStr(trainer))
    return TrainingSettings(
        **lakehouse.model_dump(),
        model_signing_key=KEY,
        code_revision="abc123",
        training_passes=3,
        training_batch_rows=2000,
        bootstrap_replicates=100,
    )


@pytest.fixture(scope="module")
def variables(settings: TrainingSettings) -> dict[str, str]:
    """The same settings for a process of its own."""
    return {name: value for name, value in environment(settings).items() if value != "None"}
