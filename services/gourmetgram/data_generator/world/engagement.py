"""What happens to the posts of a history: views, comments and flags, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.data_generator.world.crowd import Crowd
from gourmetgram.data_generator.world.posts import Post, Story
from gourmetgram.data_generator.world.rates import HOUR, MINUTE, Arrivals
from gourmetgram.data_generator.world.seeding import Floats, Ints
from gourmetgram.data_generator.world.texts import draw_comment, draw_reason

VIEW, COMMENT, FLAG = 0, 1, 2
KINDS = ("view", "comment", "flag")
MOODS = ("praise", "complaint", "spam")
PHRASES_PER_MOOD = 150

COMMENT_SHARE = 0.14
COMMENTING = {Story.ORDINARY: 1.0, Story.VIRAL: 0.6, Story.BRIGADED: 1.6, Story.HARMFUL: 3.0}
"""Comments per view, relative to an ordinary post."""
COMPLAINING = {Story.ORDINARY: 0.02, Story.VIRAL: 0.02, Story.BRIGADED: 0.5, Story.HARMFUL: 0.6}
CLUSTERED = {Story.ORDINARY: 0.0, Story.VIRAL: 0.0, Story.BRIGADED: 0.6, Story.HARMFUL: 0.5}
"""Share of the comments that come together, around the moment in which people notice the post."""

NOTICED_MEDIAN = 45 * MINUTE
NOTICED_SIGMA = 1.2
NEVER_NOTICED = 0.08
FLAGS_WHEN_HARMFUL = 6.0
MISTAKEN_FLAG = 0.015
MISTAKEN_DELAY = 3 * HOUR
BRIGADE = (8, 16)
BRIGADE_LASTS = 10 * MINUTE
LARGEST_FLAG_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Events:
    """Events as columns. `phrase` is the index of a comment or reason in the history's phrases, -1 for a view."""

    time: Floats
    kind: Ints
    image: Ints
    person: Ints
    phrase: Ints

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Stage:
    """The posts on which everything plays: when they appeared, by whom, and how their viewers arrive."""

    posts: Sequence[Post]
    uploaded: Floats
    uploader: Ints
    arrivals: Sequence[Arrivals]
    end: float


def noticed_at(rng: np.random.Generator, stage: Stage) -> Floats:
    """When people notice that something is wrong with a post (or a brigade finds it); before the end in any case."""
    count = len(stage.posts)
    harmful = rng.lognormal(np.log(NOTICED_MEDIAN), NOTICED_SIGMA, count)
    brigade = rng.uniform(HOUR, 20 * HOUR, count)
    is_brigaded = np.array([post.story is Story.BRIGADED for post in stage.posts])
    return squeeze(rng, stage.uploaded, stage.uploaded + np.where(is_brigaded, brigade, harmful), stage.end)


def squeeze(rng: np.random.Generator, start: Floats, times: Floats, end: float) -> Floats:
    """Times after the end moved to a random moment between their start and the end."""
    return np.where(times <= end, times, start + rng.random(len(times)) * (end - start))


def flags(rng: np.random.Generator, stage: Stage, crowd: Crowd, noticed: Floats, phrases: list[str]) -> Events:
    """Flags: many on harmful posts, with delay; a mistaken one here and there; a burst where a brigade strikes."""
    rows: list[tuple[float, int, int, int]] = []
    for image, post in enumerate(stage.posts):
        times = flag_times(rng, post.story, float(stage.uploaded[image]), float(noticed[image]))
        times, people = crowd.draw_distinct(rng, "flags", times[times < stage.end], int(stage.uploader[image]))
        for time, person in zip(times, people, strict=True):
            phrases.append(draw_reason(rng, "harmful" if post.harmful else "mistaken"))
            rows.append((float(time), image, int(person), len(phrases) - 1))
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    image_column, person_column, phrase_column = (np.array(column, dtype=np.int64) for column in columns[1:])
    kind = np.full(len(rows), FLAG)
    return Events(np.array(columns[0], dtype=np.float64), kind, image_column, person_column, phrase_column)


def flag_times(rng: np.random.Generator, story: Story, uploaded: float, noticed: float) -> Floats:
    """Times (unix seconds, some past the end) of the flags that one post draws."""
    if story is Story.HARMFUL and rng.random() >= NEVER_NOTICED:
        return noticed + np.cumsum(rng.exponential(25 * MINUTE, 1 + int(rng.poisson(FLAGS_WHEN_HARMFUL))))
    if story is Story.BRIGADED:
        return noticed + rng.random(int(rng.integers(*BRIGADE))) * BRIGADE_LASTS
    mistaken = 1 if rng.random() < MISTAKEN_FLAG else 0
    return uploaded + 1.0 + rng.exponential(MISTAKEN_DELAY, mistaken)


def thin(rng: np.random.Generator, events: Events, most: int) -> Events:
    """At most this many of the events, chosen evenly."""
    if len(events) <= most:
        return events
    return take(events, np.sort(rng.permutation(len(events))[:most]))


def take(events: Events, rows: Ints) -> Events:
    """These rows of the events, in this order."""
    return Events(events.time[rows], events.kind[rows], events.image[rows], events.person[rows], events.phrase[rows])


def weights(stage: Stage) -> Floats:
    """How many views each post may expect, in arbitrary units."""
    return np.array([p.appeal * a.total for p, a in zip(stage.posts, stage.arrivals, strict=True)])


def spread(rng: np.random.Generator, stage: Stage, count: int, weight: Floats) -> tuple[Ints, Floats]:
    """`count` arrivals over the posts by weight: the image of each, and its time."""
    counts = rng.multinomial(count, weight / weight.sum())
    times = [arrivals.draw(rng, int(n)) for arrivals, n in zip(stage.arrivals, counts, strict=True)]
    return np.repeat(np.arange(len(counts)), counts), np.concatenate(times)


def views(rng: np.random.Generator, stage: Stage, crowd: Crowd, count: int) -> Events:
    """Exactly `count` views."""
    image, time = spread(rng, stage, count, weights(stage))
    return Events(time, np.full(count, VIEW), image, crowd.draw(rng, "views", time), np.full(count, -1))


def comments(
    rng: np.random.Generator, stage: Stage, crowd: Crowd, noticed: Floats, *, count: int, phrases: list[str]
) -> Events:
    """Exactly `count` comments; on harmful and brigaded posts many come together, around the time of notice."""
    per_post = np.array([COMMENTING[post.story] for post in stage.posts])
    image, time = spread(rng, stage, count, weights(stage) * per_post)
    clustered = rng.random(count) < np.array([CLUSTERED[stage.posts[i].story] for i in image], dtype=np.float64)
    together = noticed[image] + rng.normal(0.0, 4 * MINUTE, count)
    time = np.where(clustered, np.maximum(together, stage.uploaded[image] + rng.uniform(1, 60, count)), time)
    time = squeeze(rng, stage.uploaded[image], time, stage.end)
    person = crowd.draw(rng, "comments", time)
    upset = rng.random(count) < np.array([COMPLAINING[stage.posts[i].story] for i in image], dtype=np.float64)
    mood = np.where(crowd.spammers[person], MOODS.index("spam"), upset)
    category = np.array([CATEGORIES.index(post.category) for post in stage.posts])[image]
    first = len(phrases)
    phrases.extend(draw_comment(rng, c, m) for c in CATEGORIES for m in MOODS for _ in range(PHRASES_PER_MOOD))
    phrase = first + (category * len(MOODS) + mood) * PHRASES_PER_MOOD + rng.integers(PHRASES_PER_MOOD, size=count)
    return Events(time, np.full(count, COMMENT), image, person, phrase)


def in_order(parts: Sequence[Events]) -> Events:
    """All parts together, by time."""
    names = ("time", "kind", "image", "person", "phrase")
    whole = Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return take(whole, np.argsort(whole.time, kind="stable"))
