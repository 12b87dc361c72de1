"""Parity: what the platform knew when it decided, and what the history says it should have known. No I/O.

Every decision stores the vector it was made from. Here it is compared, value by value, with the vector that the history
yields for the same image, instant and borders. Not one value may differ.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypedDict

import msgspec
import numpy as np

from gourmetgram.core.features import FEATURES, Numbers
from gourmetgram.lakehouse.offsets import HistoryError

EXAMPLES: Final = 3
"""Decisions shown for each feature that differs."""

SKIPPED: Final = {
    "image_deleted": "the image was deleted, and what the history knew about it",
    "no_offsets": "made before decisions noted how far the topics had been applied",
    "not_landed": "made from events that the published history does not have yet",
    "records_lost": "about an image from before a loss of records that was accepted",
}
"""Why a decision cannot be compared (sql/decided.sql), for people."""

_decode = msgspec.json.Decoder(dict[str, float | None]).decode


class Example(TypedDict):
    """A value that differs; `stored` is None where the decision's vector lacks the feature."""

    decision: int
    image_id: int
    trigger: str
    feature: str
    stored: float | None
    recomputed: float


class Lateness(TypedDict):
    """How many decisions would have another value by event time alone, and how far off the farthest is."""

    decisions: int
    largest: float


class ParityReport(TypedDict):
    """What a comparison has shown. All counts by name leave out names that were not seen."""

    history_run: str
    looked_at: int
    compared: int
    skipped: dict[str, int]
    triggers: dict[str, int]
    values: int
    differing: dict[str, int]
    examples: list[Example]
    lateness: dict[str, Lateness]


class ParityBroken(HistoryError):
    """Something was decided on other values than the history has; the message is for people."""


class Compared(NamedTuple):
    """Decisions with their vectors, one row each: as stored, as recomputed, and by event time alone."""

    decisions: Sequence[int]
    images: Sequence[int]
    triggers: Sequence[str]
    stored: Numbers
    recomputed: Numbers
    by_event_time: Numbers


@dataclass
class Comparison:
    """Adds up what is found, some decisions at a time."""

    looked_at: int = 0
    compared: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    triggers: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    lateness: dict[str, Lateness] = field(default_factory=dict)

    def skip(self, reasons: Iterable[str]) -> None:
        """Decisions that cannot be compared, by their reasons."""
        more = Counter(reasons)
        self.looked_at += more.total()
        self.skipped += more

    def add(self, some: Compared) -> None:
        """Decisions that can."""
        self.looked_at += len(some.decisions)
        self.compared += len(some.decisions)
        self.triggers.update(some.triggers)
        differs = some.stored != some.recomputed  # NaN, where nothing is stored, differs from everything
        late = np.abs(some.by_event_time - some.recomputed)
        for column, feature in enumerate(FEATURES):
            self._note(feature, column, np.flatnonzero(differs[:, column]), some)
            self._note_lateness(feature, late[:, column])

    def _note(self, feature: str, column: int, rows: np.ndarray, some: Compared) -> None:
        if not len(rows):
            return
        shown = max(0, EXAMPLES - self.differing[feature])
        self.differing[feature] += len(rows)
        self.examples += [_example(feature, column, row, some) for row in rows[:shown].tolist()]

    def _note_lateness(self, feature: str, off: Numbers) -> None:
        if decisions := int(np.count_nonzero(off)):
            before = self.lateness.get(feature, Lateness(decisions=0, largest=0.0))
            largest = max(before["largest"], float(off.max()))
            self.lateness[feature] = Lateness(decisions=before["decisions"] + decisions, largest=largest)

    def report(self, history_run: str) -> ParityReport:
        """All of it, as JSON can have it."""
        return ParityReport(
            history_run=history_run,
            looked_at=self.looked_at,
            compared=self.compared,
            skipped=dict(self.skipped),
            triggers=dict(self.triggers),
            values=self.compared * len(FEATURES),
            differing=dict(self.differing),
            examples=self.examples,
            lateness=self.lateness,
        )


def stored_vectors(texts: Sequence[str]) -> Numbers:
    """Vectors as decisions store them, JSON by name, as a matrix like FEATURES; NaN where a value is missing."""
    matrix = np.empty((len(texts), len(FEATURES)))
    for row, text in enumerate(texts):
        vector = _decode(text)
        matrix[row] = [np.nan if (value := vector.get(feature)) is None else value for feature in FEATURES]
    return matrix


def _example(feature: str, column: int, row: int, some: Compared) -> Example:
    stored = float(some.stored[row, column])
    return Example(
        decision=some.decisions[row],
        image_id=some.images[row],
        trigger=some.triggers[row],
        feature=feature,
        stored=None if np.isnan(stored) else stored,
        recomputed=float(some.recomputed[row, column]),
    )


def told(report: ParityReport) -> Iterable[str]:
    """The report in lines, for people."""
    yield f"{report['looked_at']} decisions were looked at, beside the history of run {report['history_run']}"
    for reason, number in sorted(report["skipped"].items()):
        yield f"{-number:>8}  {reason}: {SKIPPED[reason]}"
    yield f"{report['compared']:>8}  compared: {_listed(report['triggers'])}"
    yield f"{sum(report['differing'].values())} of {report['values']} values differ"
    yield from _told_differences(report)
    for feature, late in report["lateness"].items():
        yield (
            f"lateness: by event time alone, {feature} would differ in {late['decisions']} of them, "
            f"by {late['largest']:g} at most"
        )


def _told_differences(report: ParityReport) -> Iterable[str]:
    for feature, number in report["differing"].items():
        yield f"  {feature} differs in {number} decisions, such as"
        for one in report["examples"]:
            if one["feature"] == feature:
                yield (
                    f"    decision {one['decision']} about image {one['image_id']} ({one['trigger']}): "
                    f"stored {one['stored']}, recomputed {one['recomputed']}"
                )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def require_equal(report: ParityReport) -> None:
    """Let nothing pass but equality.

    Raises:
        ParityBroken: a value differs; the message says which, with examples, and what that may mean.
    """
    if not report["differing"]:
        return
    lines = [
        f"{sum(report['differing'].values())} of {report['values']} values of {report['compared']} decisions are not "
        "what the history says they should have been:",
        *_told_differences(report),
        "Either the platform counted wrongly when it decided (an event counted twice or not at all), or a stored",
        "vector was changed, or the history has lost or gained something since, or a feature is computed in two ways.",
        "Begin with one of these decisions: its offsets say which records it had seen. Until this is understood, do",
        "not train on this history.",
    ]
    raise ParityBroken("\n".join(lines))
