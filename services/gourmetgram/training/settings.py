"""What the training is told from outside."""

from pathlib import Path

from pydantic import Field, SecretStr

from gourmetgram.lakehouse.settings import LakehouseSettings


class TrainingSettings(LakehouseSettings):
    """Environment variables of a training, beside those of the lakehouse that it reads from."""

    model_signing_key: SecretStr = Field(min_length=16, description="The lab's key; models are signed with it")
    code_revision: str = Field(default="unknown", description="Commit that the code is at, kept with the model")
    policy_version: str = Field(default="v1", description="The rules that the model is compared with")
    training_seed: int = Field(default=7, ge=0, description="Same snapshot and seed, same model")
    training_passes: int = Field(default=20, ge=1, description="How often the training rows are gone through")
    training_batch_rows: int = Field(
        default=32_768, ge=256, le=1_000_000, description="Rows in memory at a time; a second batch is read meanwhile"
    )
    training_share: float = Field(default=0.5, gt=0, lt=1, description="Share of the time that is learned from")
    calibration_share: float = Field(
        default=0.2, gt=0, lt=1, description="Share of the time that calibrates; the rest is the holdout"
    )
    bootstrap_replicates: int = Field(default=1000, ge=100, description="Resamples behind each interval")
    truth_file: Path | None = Field(
        default=None, description="The generator's truth about images, to grade with if it is there; never learned from"
    )
