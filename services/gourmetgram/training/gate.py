"""The gate before a deployment: a model that is worse than the one it would replace, on the same holdout, stays out."""

from typing import NamedTuple

import numpy as np

from gourmetgram.core.features import Integers, Numbers
from gourmetgram.training import sample
from gourmetgram.training.arrays import Labels
from gourmetgram.training.bootstrap import Bootstrap, Estimate, estimate
from gourmetgram.training.errors import NoSuchSnapshot, NotEnough
from gourmetgram.training.metrics import Ranking
from gourmetgram.training.model import Model
from gourmetgram.training.settings import TrainingSettings
from gourmetgram.training.source import Source
from gourmetgram.training.split import Split


class Comparison(NamedTuple):
    """Average precision of both on rows that neither has learned from, and of the new one minus the present one."""

    new: float
    present: float
    gain: Estimate
    rows: int

    @property
    def is_worse(self) -> bool:
        """Whether the new model finds less."""
        return self.new < self.present

    def told(self) -> str:
        """In a sentence."""
        low, high = self.gain["low"], self.gain["high"]
        interval = "" if low is None or high is None else f" (95 % of resamples: {low:+.3f} to {high:+.3f})"
        return (
            f"average precision {self.new:.3f}, against {self.present:.3f} of the present model: "
            f"{self.new - self.present:+.3f}{interval}, on {self.rows} rows of the holdout"
        )


class _Heard(NamedTuple):
    label: Labels
    image: Integers
    new: Numbers
    present: Numbers


def compare(settings: TrainingSettings, new: Model, present: Model) -> Comparison:
    """Both models on the new one's holdout, rows that were not flagged before.

    The present model may have learned from some of these rows, if it is from a later snapshot. That is in its favour.

    Raises:
        NoSuchSnapshot: the snapshot that the new model was trained on is gone.
        NotEnough: nothing can be compared.
    """
    heard = _hear(settings, new, present)
    ones = np.ones((1, len(heard.label)))
    values = {name: float(numbers[0]) for name, numbers in _both(heard, ones).items()}
    bootstrap = Bootstrap(heard.image, settings.bootstrap_replicates, settings.training_seed)
    replicates = bootstrap.replicates(lambda weights: _both(heard, weights))
    gain = estimate(values["new"] - values["present"], replicates["new"] - replicates["present"])
    return Comparison(values["new"], values["present"], gain, len(heard.label))


def _both(heard: _Heard, weights: Numbers) -> dict[str, Numbers]:
    return {
        "new": Ranking.of(heard.label, heard.new, weights).average_precision(),
        "present": Ranking.of(heard.label, heard.present, weights).average_precision(),
    }


def _hear(settings: TrainingSettings, new: Model, present: Model) -> _Heard:
    try:
        source = Source.of(settings, int(new.metadata["snapshot_id"]))
    except NoSuchSnapshot as error:
        raise NoSuchSnapshot(f"{error}. Model {new.version} was trained on it; train it anew") from error
    reader = source.reader(settings.training_batch_rows)
    parts = []
    for features, facts in sample.to_look_at(reader, Split(**new.metadata["split"])):
        chosen = (facts.role == sample.Role.HOLDOUT) & ~facts.flagged
        rows = features[chosen]
        if len(rows):
            parts.append(_Heard(facts.label[chosen], facts.image[chosen], new.score(rows), present.score(rows)))
    if not parts:
        raise NotEnough(f"model {new.version} has no holdout to be compared on")
    return _Heard(*(np.concatenate(column) for column in zip(*parts, strict=True)))
