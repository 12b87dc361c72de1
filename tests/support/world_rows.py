"""A simulated history as training data, without any server: counted by brute force, trained on by the real training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import LocalFileSystem

from gourmetgram.core import policy
from gourmetgram.data_generator.world.engagement import KINDS
from gourmetgram.data_generator.world.history import History, Size, build_history
from gourmetgram.data_generator.world.posts import Signals, Story
from gourmetgram.lakehouse.training_data.rows import SCHEMA
from gourmetgram.training.bootstrap import Estimate
from gourmetgram.training.evaluation import Evaluation, Judged, Report
from gourmetgram.training.job import learn
from gourmetgram.training.reader import Reader
from gourmetgram.training.settings import TrainingSettings
from tests.support.training_recount import SECOND, Happening, Image, User, World

WEEK = Size(days=7, users=1200, images=4000, events=300_000)
"""The lab's history."""

END = datetime(2026, 11, 21, 15, tzinfo=UTC)
ROWS_PER_GROUP = 4096
RESAMPLES = 2000


NOBODY: dict[str, Any] = {
    name: "nobody:secret-of-nobody" for name, field in TrainingSettings.model_fields.items() if field.is_required()
}
SETTINGS = TrainingSettings(**NOBODY)
"""What a training does unless told otherwise; where it is done does not matter here."""

MEASURED = Evaluation(policy.load(SETTINGS.policy_version), SETTINGS.bootstrap_replicates, SETTINGS.training_seed)


def recount(history: History, end: datetime) -> World:
    """The history as the plain Python of the recount takes it; the id of an image is its position."""
    users = [
        User(number, microseconds(joined), person.country, person.year_of_birth, is_test_account=person.is_test_account)
        for number, (person, joined) in enumerate(zip(history.people, history.joined.tolist(), strict=True))
    ]
    images = [
        Image(number, uploader, microseconds(uploaded), "import", len(post.caption), post.category)
        for number, (post, uploader, uploaded) in enumerate(
            zip(history.posts, history.uploader.tolist(), history.uploaded.tolist(), strict=True)
        )
    ]
    uploads = [Happening("upload", image.id, image.created_at) for image in images]
    return World(users, images, [*uploads, *happenings(history)], microseconds(end.timestamp()))


def happenings(history: History) -> Iterator[Happening]:
    """The events of a history; those of a test account say so."""
    events = history.events
    columns = (events.kind.tolist(), events.image.tolist(), events.time.tolist(), events.person.tolist())
    for kind, image, time, person in zip(*columns, strict=True):
        yield Happening(KINDS[kind], image, microseconds(time), history.people[person].is_test_account)


def microseconds(seconds: float) -> int:
    """Unix microseconds."""
    return round(seconds * SECOND)


def table(history: History, end: datetime) -> pa.Table:
    """The training data of a history, recounted."""
    rows = recount(history, end).rows()
    return pa.table({field.name: pa.array([row[field.name] for row in rows]).cast(field.type) for field in SCHEMA})


@dataclass(frozen=True)
class Result:
    """What came of a training: the holdout's rows that nobody had flagged, their stories, and the headline."""

    rows: Judged
    stories: np.ndarray
    headline: Report

    def told(self) -> str:
        """Figures for people."""
        judges, lines = self.headline["judges"], [f"{self.headline['rows']} rows, {self.headline['flagged']} flagged"]
        for judge, of in judges.items():
            shares = f"above 0.7 {said(of['flag_share'])}, 0.3 or more {said(of['review_share'])}"
            lines.append(f"  {judge:8} average precision {said(of['average_precision'])}; {shares}")
        lines += [f"  gain {name} {said(value)}" for name, value in self.headline["gain"].items()]
        lines += [
            f"  from {one['from']}: {one['rows']:5} rows, predicted {one['predicted']:.2f}, was {said(one['observed'])}"
            for one in judges["model"]["bins"]
        ]
        return "\n".join([*lines, *(self._about(story) for story in Story)])

    def _about(self, story: Story) -> str:
        scores, anchors = self.rows.model[self.stories == story], self.rows.anchor[self.stories == story]
        if not len(scores):
            return f"  {story}: none"
        low, middle, high = np.quantile(scores, [0.1, 0.5, 0.9])
        late = ", ".join(f"{(scores[anchors == anchor] > 0.7).mean():.2f} at {anchor}" for anchor in np.unique(anchors))
        return (
            f"  {story:8} {len(scores):5} rows: 10 % {low:.2f}, half {middle:.2f}, 90 % {high:.2f}; above 0.7: {late}"
        )


class Share(NamedTuple):
    """How many rows of a band of scores were flagged; with the middle 95 % of what resampling the images gives."""

    rows: int
    value: float
    low: float
    high: float


def came_true(results: Sequence[Result], above: float, up_to: float) -> Share:
    """What became of the rows with such a score, over one world or several."""
    chosen = [(one.rows.model > above) & (one.rows.model <= up_to) for one in results]
    image = np.concatenate(
        [one.rows.image[rows] + WEEK.images * n for n, (one, rows) in enumerate(zip(results, chosen, strict=True))]
    )
    label = np.concatenate([one.rows.label[rows] for one, rows in zip(results, chosen, strict=True)])
    _, position = np.unique(image, return_inverse=True)
    of_image, flagged = np.bincount(position), np.bincount(position, label)
    drawn = np.random.default_rng(1).multinomial(len(of_image), np.full(len(of_image), 1 / len(of_image)), RESAMPLES)
    low, high = np.quantile(drawn @ flagged / (drawn @ of_image), [0.025, 0.975])
    return Share(len(label), float(label.mean()), float(low), float(high))


def said(estimate: Estimate) -> str:
    """A number with its interval."""
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    return "none" if value is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def trained(folder: Path, seed: int, signals: Signals = Signals.REAL) -> Result:
    """A week of this seed, trained on as the lab does, with the defaults of its settings."""
    history = build_history(seed, END, WEEK, signals=signals)
    path = folder / f"{signals}-{seed}.parquet"
    pq.write_table(table(history, END), path, row_group_size=ROWS_PER_GROUP)
    judged = learn(SETTINGS, Reader([str(path)], LocalFileSystem(), SETTINGS.training_batch_rows)).judged
    fresh = judged.only(~judged.flagged)
    stories = np.array([history.posts[image].story for image in fresh.image.tolist()])
    return Result(fresh, stories, MEASURED.compare(fresh))
