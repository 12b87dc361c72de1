"""A training from beginning to end: from a snapshot of the training data to a signed model beside the others."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from gourmetgram.core import policy, truth
from gourmetgram.core.features import Integers
from gourmetgram.core.model_files import SEEN
from gourmetgram.lakehouse.expiry import tag_training_snapshot
from gourmetgram.lakehouse.tables import TRAINING_DATA
from gourmetgram.training import artifacts, sample
from gourmetgram.training.errors import BadVersion
from gourmetgram.training.evaluation import Evaluation, Judged
from gourmetgram.training.fit import Survey, fit, survey
from gourmetgram.training.model import CalibratedClassifier, Model, category_encoder
from gourmetgram.training.reader import Rereadable
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.source import Source
from gourmetgram.training.split import Split
from gourmetgram.training.store import ArrowFolder, image_ids
from gourmetgram.training.trial import Trial


@dataclass(frozen=True)
class Learned:
    """What comes out of a training, before it is stored."""

    borders: Split
    survey: Survey
    calibrated: CalibratedClassifier
    judged: Judged
    rows: dict[str, int]
    images: Integers
    """All that it has seen, to fit, to calibrate or to measure."""


def learn(settings: TrainingSettings, reader: Rereadable) -> Learned:
    """Split the rows, fit, calibrate, and hear what the model says about the holdout. Nothing is stored.

    Raises:
        NotEnough: the rows do not suffice.
    """
    borders = sample.settle(reader, settings.training_share, settings.calibration_share)
    go_through = partial(sample.to_fit, reader, borders)
    first = survey(go_through)
    classifier = fit(go_through, first, passes=settings.training_passes, seed=settings.training_seed)
    trial = Trial(first.scaler, classifier, policy.load(settings.policy_version))
    trial.go_through(sample.to_look_at(reader, borders))
    calibrated = trial.calibrated()
    return Learned(
        borders, first, calibrated, trial.judged(calibrated, first.flagged_share), trial.rows(), trial.images()
    )


def train(settings: TrainingSettings, now: datetime, snapshot_id: int | None, version: str | None) -> dict[str, Any]:
    """Train, measure, sign and store a model; return its metadata. It serves nobody before it is deployed.

    Args:
        settings: where from, where to, and how.
        now: the time, which also names the version if no other name is given.
        snapshot_id: of the training data; the present one if not given.
        version: of the new model.

    Raises:
        TrainingError: the data does not suffice, there is no such snapshot, or the version is taken.
    """
    version = version or f"{now:%Y%m%dT%H%M%SZ}"
    source = Source.of(settings, snapshot_id)
    folder = ArrowFolder.of(settings, source.storage)
    artifacts.require_new(folder, version)
    _tag(source, version)
    learned = learn(settings, source.reader(settings.training_batch_rows))
    metadata = _metadata(settings, source, learned, now, version)
    model = Model(metadata, learned.survey.scaler, learned.calibrated, category_encoder())
    key = settings.model_signing_key.get_secret_value().encode()
    return artifacts.publish(folder, model, {SEEN: image_ids(learned.images)}, key)


def _tag(source: Source, version: str) -> None:
    """Keep the snapshot, before anything is learned from it."""
    try:
        tag_training_snapshot(source.table, source.snapshot_id, version)
    except ValueError as error:
        raise BadVersion(str(error)) from error


def _metadata(
    settings: TrainingSettings, source: Source, learned: Learned, now: datetime, version: str
) -> dict[str, Any]:
    """What a model says about itself."""
    evaluation = Evaluation(policy.load(settings.policy_version), settings.bootstrap_replicates, settings.training_seed)
    harmful = truth.known(settings.truth_file) if settings.truth_file else {}
    return {
        "version": version,
        "created_at": now.isoformat(),
        "table": TRAINING_DATA,
        "snapshot_id": source.snapshot_id,
        "lineage": source.lineage,
        "rows": learned.rows,
        "split": learned.borders._asdict(),
        "class_weights": learned.survey.class_weights.tolist(),
        "seed": settings.training_seed,
        "passes": settings.training_passes,
        "policy_version": settings.policy_version,
        "code_revision": settings.code_revision,
        "metrics": evaluation.report(learned.judged, harmful),
    }
