"""A week of GourmetGram before the lab began, built at once: people, posts, and an exact number of events."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from gourmetgram.data_generator.world import engagement
from gourmetgram.data_generator.world.crowd import Crowd, gather
from gourmetgram.data_generator.world.engagement import Events, Stage
from gourmetgram.data_generator.world.people import Person, draw_person
from gourmetgram.data_generator.world.posts import Post, Signals, Story, assign_stories, draw_post
from gourmetgram.data_generator.world.rates import DAY, HOUR, steady, views_of_image
from gourmetgram.data_generator.world.seeding import Floats, Ints, stream, uuid7

FOUNDERS = 0.8
"""Share of the people who had joined before the history starts."""
OLDEST_ACCOUNT = 2 * 365 * DAY
SLOW_FADE_MEDIAN = 9 * HOUR

SPAMMER_HARM = 6.0
NEW_ACCOUNT_HARM = 2.5
NIGHT_HARM = 1.6
NIGHT_HOURS = (0, 6)
NOISE_BYTES = 10


@dataclass(frozen=True, slots=True)
class Size:
    """How large a history is: its length in days and what it holds."""

    days: float
    users: int
    images: int
    events: int


@dataclass(frozen=True, slots=True)
class History:
    """A week of people, posts and events. Times are unix seconds; numbers are positions in these sequences."""

    people: Sequence[Person]
    joined: Floats
    posts: Sequence[Post]
    uploaded: Floats
    uploader: Ints
    events: Events
    phrases: Sequence[str]
    noise: bytes

    def event_id(self, row: int) -> str:
        """The UUID version 7 of an event: the same for the same seed and end."""
        noise = self.noise[row * NOISE_BYTES : (row + 1) * NOISE_BYTES]
        return str(uuid7(float(self.events.time[row]), noise))

    def digest(self) -> str:
        """SHA-256 of everything in it, to compare two histories."""
        digest = hashlib.sha256(repr((self.people, self.posts, self.phrases)).encode())
        columns = (self.events.time, self.events.kind, self.events.image, self.events.person, self.events.phrase)
        for array in (self.joined, self.uploaded, self.uploader, *columns):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(self.noise)
        return digest.hexdigest()


def build_history(seed: int, end: datetime, size: Size, scope: str = "h", signals: Signals = Signals.REAL) -> History:
    """The history of this seed that ends at `end`. Exactly `size.events` views, comments and flags together.

    Args:
        seed: decides everything but the times' offset.
        end: of the history.
        size: what it holds.
        scope: becomes part of every username.
        signals: with none, nothing that can be seen of a post has to do with whether it is harmful or gets flagged:
            a null world, in which no model can be better than a guess.

    Raises:
        ValueError: the size leaves no room for people or posts.
    """
    if size.users < 1 or size.images < 1 or size.days <= 0:
        raise ValueError(f"expected at least one user, one image and a positive number of days, got {size}")
    stop = end.timestamp()
    start = stop - size.days * DAY
    people, joined = settle(seed, size.users, (start, stop), scope)
    crowd = gather(stream(seed, "history", "crowd"), people, joined)
    stage = publish(seed, size.images, (start, stop), crowd, signals)
    events, phrases = engage(seed, stage, crowd, size.events, signals)
    noise = stream(seed, "history", "noise").bytes(NOISE_BYTES * len(events))
    return History(people, joined, stage.posts, stage.uploaded, stage.uploader, events, phrases, noise)


def settle(seed: int, count: int, span: tuple[float, float], scope: str) -> tuple[list[Person], Floats]:
    """The people in the order in which they joined: most before the history, some during it."""
    rng = stream(seed, "history", "people")
    start, end = span
    year = datetime.fromtimestamp(end, UTC).year
    people = [draw_person(rng, scope, number, year) for number in range(count)]
    before = start - rng.random(count) ** 2 * OLDEST_ACCOUNT
    joined = np.where(rng.random(count) < FOUNDERS, before, rng.uniform(start, end, count))
    joined[0] = before[0]  # somebody must be there for the first upload
    return people, np.sort(joined)


def publish(seed: int, count: int, span: tuple[float, float], crowd: Crowd, signals: Signals) -> Stage:
    """The posts in the order of their upload, with their uploaders and hidden stories."""
    rng = stream(seed, "history", "posts")
    start, end = span
    uploaded = np.sort(steady(start, end).draw(rng, count))
    uploader = crowd.draw(rng, "uploads", uploaded)
    propensity = harm_propensity(uploaded, uploader, crowd)
    stories = assign_stories(rng, propensity if signals is Signals.REAL else np.ones(count))
    posts = [draw_post(rng, story, signals) for story in stories]
    fades = rng.lognormal(np.log(SLOW_FADE_MEDIAN), 0.6, count)
    surges = rng.uniform(HOUR, 24 * HOUR, count)
    arrivals = [
        views_of_image(float(time), end, float(fade), float(surge) if post.looks is Story.VIRAL else None)
        for time, fade, surge, post in zip(uploaded, fades, surges, posts, strict=True)
    ]
    return Stage(posts, uploaded, uploader, arrivals, end)


def harm_propensity(uploaded: Floats, uploader: Ints, crowd: Crowd) -> Floats:
    """How much likelier than average each post is harmful: spammers, new accounts and the night raise it."""
    factor = np.where(crowd.spammers[uploader], SPAMMER_HARM, 1.0)
    factor *= np.where(uploaded - crowd.joined[uploader] < 7 * DAY, NEW_ACCOUNT_HARM, 1.0)
    hours = uploaded % DAY / HOUR
    night: Floats = np.where((hours >= NIGHT_HOURS[0]) & (hours < NIGHT_HOURS[1]), NIGHT_HARM, 1.0)
    return factor * night


def engage(seed: int, stage: Stage, crowd: Crowd, count: int, signals: Signals) -> tuple[Events, list[str]]:
    """Exactly `count` events in the order of their times, and the texts that they refer to.

    Flags follow the notice of a post, and so do comments. Without signals, these are two moments that know nothing of
    each other.
    """
    rng = stream(seed, "history", "engagement")
    phrases: list[str] = []
    noticed = engagement.noticed_at(rng, stage, [post.story for post in stage.posts])
    discussed = noticed
    if signals is Signals.NONE:
        discussed = engagement.noticed_at(rng, stage, [post.looks for post in stage.posts])
    flags = engagement.flags(rng, stage, crowd, noticed, phrases)
    flags = engagement.thin(rng, flags, int(count * engagement.LARGEST_FLAG_SHARE))
    comment_count = round((count - len(flags)) * engagement.COMMENT_SHARE)
    comments = engagement.comments(rng, stage, crowd, discussed, count=comment_count, phrases=phrases)
    views = engagement.views(rng, stage, crowd, count - len(flags) - comment_count)
    return engagement.in_order([views, comments, flags]), phrases
