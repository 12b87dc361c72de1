"""What is said about a model: how good it is on the holdout, beside the rules and a constant guess."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gourmetgram.core.features import Integers, Numbers
from gourmetgram.core.policy import Policy
from gourmetgram.training.arrays import Columns, Labels, Mask
from gourmetgram.training.bootstrap import Bootstrap, Estimate, estimate
from gourmetgram.training.metrics import BINS, AtThreshold, Ranking, Reliability, brier

Report = dict[str, Any]
"""As it is kept with the model, in JSON."""

MODEL: Final = "model"
BASELINES: Final = ("rules", "constant")


@dataclass(frozen=True)
class Judged(Columns):
    """Rows of the holdout, one element each: what is known of them, and what each judge has said.

    `constant` is the share of flagged rows in the training, for every row.
    """

    label: Labels
    image: Integers
    anchor: npt.NDArray[np.int32]
    country: npt.NDArray[np.str_]
    flagged: Mask
    model: Numbers
    rules: Numbers
    constant: Numbers

    @property
    def scores(self) -> dict[str, Numbers]:
        """The scores by judge."""
        return {name: getattr(self, name) for name in (MODEL, *BASELINES)}


@dataclass(frozen=True)
class Evaluation:
    """How rows are measured: where the policy's borders are, and how the intervals are made."""

    policy: Policy
    replicates: int
    seed: int

    def report(self, rows: Judged, harmful: Mapping[int, bool] | None = None) -> Report:
        """The headline is about rows that nobody had flagged yet; the others, and groups of rows, are told apart.

        Args:
            rows: the holdout; labels are known.
            harmful: the planted truth by image, as far as there is one.
        """
        headline = rows.only(~rows.flagged)
        return {
            "headline": self.compare(headline),
            "already_flagged": self.compare(rows.only(rows.flagged)),
            "by_anchor": self._by(headline, headline.anchor),
            "by_country": self._by(headline, headline.country),
            "planted_truth": self.compare(against(headline, harmful)) if harmful else None,
        }

    def _by(self, rows: Judged, key: npt.NDArray[Any]) -> Report:
        """Of groups, without bins: in most there would be a handful of rows."""
        return {str(value): self.compare(part, with_bins=False) for value, part in groups(rows, key)}

    def compare(self, rows: Judged, *, with_bins: bool = True) -> Report:
        """All metrics of all judges on these rows, and by how much the model's average precision is higher."""
        counts = {"rows": len(rows.label), "images": len(np.unique(rows.image)), "flagged": int(rows.label.sum())}
        if not len(rows.label):
            return {**counts, "judges": {}, "gain": {}}
        value = {name: value[0] for name, value in self._statistics(rows, np.ones((1, len(rows.label)))).items()}
        replicates = Bootstrap(rows.image, self.replicates, self.seed).replicates(
            lambda weights: self._statistics(rows, weights)
        )
        estimates = {name: estimate(value[name], replicates[name]) for name in value if value[name].ndim == 0}
        judges: Report = {judge: _of(judge, estimates) for judge in rows.scores}
        if with_bins:
            for judge, said in judges.items():
                said["bins"] = _bins(judge, value, replicates)
        return {**counts, "judges": judges, "gain": _of("gain", estimates)}

    def _statistics(self, rows: Judged, weights: Numbers) -> dict[str, Numbers]:
        found = {
            f"{judge}.{name}": value
            for judge, scores in rows.scores.items()
            for name, value in self._metrics(rows.label, scores, weights).items()
        }
        of_model = found[f"{MODEL}.average_precision"]
        gains = {f"gain.over_{other}": of_model - found[f"{other}.average_precision"] for other in BASELINES}
        return found | gains

    def _metrics(self, labels: Labels, scores: Numbers, weights: Numbers) -> dict[str, Numbers]:
        ranking = Ranking.of(labels, scores, weights)
        reliability = Reliability.of(labels, scores, weights)
        review = AtThreshold.of(labels, scores >= self.policy.review_from, weights)
        flag = AtThreshold.of(labels, scores > self.policy.flag_above, weights)
        return {
            "average_precision": ranking.average_precision(),
            "roc_auc": ranking.roc_auc(),
            **{f"review_{name}": value for name, value in review._asdict().items()},
            **{f"flag_{name}": value for name, value in flag._asdict().items()},
            "brier": brier(labels, scores, weights),
            "calibration_error": reliability.calibration_error(),
            **{f"bins.{name}": value for name, value in reliability._asdict().items()},
        }


def groups(rows: Judged, key: npt.NDArray[Any]) -> Iterator[tuple[Any, Judged]]:
    """The rows by the value of a column."""
    for value in np.unique(key):
        yield value, rows.only(key == value)


def against(rows: Judged, truth: Mapping[int, bool]) -> Judged:
    """The rows of images whose truth is known, with that as their label."""
    known = rows.only(np.array([image in truth for image in rows.image.tolist()], np.bool_))
    harmful = np.array([truth[image] for image in known.image.tolist()], np.int8)
    return replace(known, label=harmful)


def _of(judge: str, estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
    return {name.removeprefix(f"{judge}."): one for name, one in estimates.items() if name.startswith(f"{judge}.")}


def _bins(judge: str, value: Mapping[str, Numbers], replicates: Mapping[str, Numbers]) -> list[Report]:
    """The bins that have rows: how many, the mean probability, and the share that was flagged, with its interval."""
    rows, predicted, observed = (f"{judge}.bins.{name}" for name in ("rows", "predicted", "observed"))
    return [
        {
            "from": position / BINS,
            "rows": int(value[rows][position]),
            "predicted": float(value[predicted][position]),
            "observed": estimate(float(value[observed][position]), replicates[observed][:, position]),
        }
        for position in range(BINS)
        if value[rows][position]
    ]
