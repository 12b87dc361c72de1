"""What happens to the posts of a history: views, comments and flags, as arrays."""

from collections.abc import Mapping, Sequence
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
TALK = {Story.ORDINARY: 1.0, Story.VIRAL: 0.6, Story.BRIGADED: 1.0, Story.HARMFUL: 1.5}
"""Comments that viewers leave as they come, per view, relative to an ordinary post."""
OUTCRY = {Story.ORDINARY: 0.4, Story.VIRAL: 3.0, Story.BRIGADED: 2.0, Story.HARMFUL: 12.0}
"""Comments that come together once people notice a post, relative to the talk on a post with average views. It need not
be anger: people argue about pineapple on a pizza, and what goes viral harmlessly is talked about early, too."""
OUTCRY_SIGMA = {Story.ORDINARY: 1.2, Story.VIRAL: 0.5, Story.BRIGADED: 0.5, Story.HARMFUL: 0.4}
"""Spread of the logarithm of a post's outcry around that. About most harmless posts there is hardly any, about a few as
much as if they were harmful; about harm, people agree."""
OUTCRY_GROWTH = 1 / 4
"""A post with sixteen times the views has twice the outcry: who sees that it has been said does not say it again."""
OUTCRY_LASTS = 5 * MINUTE
"""Mean time from the notice to a comment of the outcry."""
COMPLAINING = {Story.ORDINARY: 0.02, Story.VIRAL: 0.02, Story.BRIGADED: 0.8, Story.HARMFUL: 0.8}
"""Share of complaints in the outcry; in other talk it is that of an ordinary post."""

NOTICED_MEDIAN = 4 * MINUTE
"""By this age, people have noticed half of the posts, for good or bad. (Brigades have their own times.)"""
NOTICED_SIGMA = 1.0
"""Spread of the logarithm of that age; one post in four takes more than twice the median."""
FIRST_FLAG_AFTER = 2 * HOUR
"""Mean time from the notice of a harmful post to its first flag: people complain in comments before anybody presses the
button."""
NEXT_FLAG_AFTER = 25 * MINUTE
"""Mean time between its further flags."""
NEVER_FLAGGED = 0.04
"""Share of the harmful posts that people only talk about."""
FURTHER_FLAGS = 6.0
"""Mean number of flags on a harmful post after the first one."""
MISTAKEN_FLAG = 0.015
"""Share of harmless posts that somebody flags nevertheless; MISTAKEN_DELAY is the mean age at which."""
MISTAKEN_DELAY = 3 * HOUR
BRIGADED_FROM, BRIGADED_UNTIL = HOUR, 20 * HOUR
"""Ages between which a brigade finds its post."""
BRIGADE = (8, 16)
"""Fewest flags of a brigade, and one more than its most; all within BRIGADE_LASTS."""
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


def noticed_at(rng: np.random.Generator, stage: Stage, stories: Sequence[Story]) -> Floats:
    """When people notice a post and talk about it (or a brigade finds it); before the end in any case."""
    count = len(stage.posts)
    age = rng.lognormal(np.log(NOTICED_MEDIAN), NOTICED_SIGMA, count)
    brigade = rng.uniform(BRIGADED_FROM, BRIGADED_UNTIL, count)
    is_brigaded = np.array([story is Story.BRIGADED for story in stories])
    return squeeze(rng, stage.uploaded, stage.uploaded + np.where(is_brigaded, brigade, age), stage.end)


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
    if story is Story.HARMFUL and rng.random() >= NEVER_FLAGGED:
        first = noticed + rng.exponential(FIRST_FLAG_AFTER)
        further = rng.exponential(NEXT_FLAG_AFTER, int(rng.poisson(FURTHER_FLAGS)))
        return first + np.concatenate(([0.0], np.cumsum(further)))
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
    """Exactly `count` comments: talk of those who come by, and an outcry where people have noticed something."""
    talk, outcry = comment_weights(rng, stage)
    image, time = spread(rng, stage, count, talk + outcry)
    together = rng.random(count) < (outcry / (talk + outcry))[image]
    time = np.where(together, noticed[image] + rng.exponential(OUTCRY_LASTS, count), time)
    time = squeeze(rng, stage.uploaded[image], time, stage.end)
    person = crowd.draw(rng, "comments", time)
    complaining = by_looks(stage, COMPLAINING)[image]
    upset = rng.random(count) < np.where(together, complaining, COMPLAINING[Story.ORDINARY])
    mood = np.where(crowd.spammers[person], MOODS.index("spam"), upset)
    category = np.array([CATEGORIES.index(post.category) for post in stage.posts])[image]
    first = len(phrases)
    phrases.extend(draw_comment(rng, c, m) for c in CATEGORIES for m in MOODS for _ in range(PHRASES_PER_MOOD))
    phrase = first + (category * len(MOODS) + mood) * PHRASES_PER_MOOD + rng.integers(PHRASES_PER_MOOD, size=count)
    return Events(time, np.full(count, COMMENT), image, person, phrase)


def comment_weights(rng: np.random.Generator, stage: Stage) -> tuple[Floats, Floats]:
    """How much talk and how much outcry each post may expect, in the same arbitrary units."""
    seen = weights(stage)
    seen = seen / seen.mean()
    stir = rng.lognormal(0.0, by_looks(stage, OUTCRY_SIGMA))
    return seen * by_looks(stage, TALK), seen**OUTCRY_GROWTH * stir * by_looks(stage, OUTCRY)


def by_looks(stage: Stage, figures: Mapping[Story, float]) -> Floats:
    """The figure of each post, by how it looks."""
    return np.array([figures[post.looks] for post in stage.posts])


def in_order(parts: Sequence[Events]) -> Events:
    """All parts together, by time."""
    names = ("time", "kind", "image", "person", "phrase")
    whole = Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return take(whole, np.argsort(whole.time, kind="stable"))
