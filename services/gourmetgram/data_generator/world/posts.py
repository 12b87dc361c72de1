"""Posts and their hidden stories: which are harmful, which go viral harmlessly, which get brigaded."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gourmetgram.core.categories import CATEGORIES
from gourmetgram.data_generator.world.people import Person
from gourmetgram.data_generator.world.seeding import Floats, pick
from gourmetgram.data_generator.world.texts import draw_caption


class Story(StrEnum):
    """What will happen to a post. Only the simulation knows it."""

    ORDINARY = "ordinary"
    HARMFUL = "harmful"
    VIRAL = "viral"
    BRIGADED = "brigaded"


class Signals(StrEnum):
    """Whether what can be seen of a post tells anything about its story."""

    REAL = "real"
    NONE = "none"


HARMFUL_SHARE = 0.095
VIRAL_SHARE = 0.010
BRIGADED_SHARE = 0.008
APPEAL_SIGMA = 1.1
VIRAL_APPEAL = 12.0
HARMFUL_APPEAL = 1.3


@dataclass(frozen=True, slots=True)
class Post:
    """A photo with its caption. `story`, `looks` and `appeal` (how much it attracts, 1 is typical) stay hidden.

    The story decides about flags and about harm; `looks` is the story that caption, views and comments tell. They only
    differ in a world without signals, where every post looks ordinary.
    """

    category: str
    caption: str
    photo: int
    story: Story
    looks: Story
    appeal: float

    @property
    def harmful(self) -> bool:
        """Whether a perfect moderator would take it down."""
        return self.story is Story.HARMFUL


def draw_post(rng: np.random.Generator, story: Story, signals: Signals = Signals.REAL) -> Post:
    """A post that will live this story."""
    looks = story if signals is Signals.REAL else Story.ORDINARY
    category = pick(rng, CATEGORIES)
    appeal = float(rng.lognormal(0.0, APPEAL_SIGMA))
    boost = {Story.VIRAL: VIRAL_APPEAL, Story.HARMFUL: HARMFUL_APPEAL}.get(looks, 1.0)
    caption = draw_caption(rng, category, looks is Story.HARMFUL)
    return Post(category, caption, int(rng.integers(1 << 30)), story, looks, appeal * boost)


def draw_story(rng: np.random.Generator, uploader: Person) -> Story:
    """The story of one post by this uploader, for live traffic; over all uploads, HARMFUL_SHARE are harmful."""
    harmful = HARMFUL_SHARE * (3.0 if uploader.persona.name == "spammer" else 0.8)
    draw = float(rng.random())
    for story, share in ((Story.HARMFUL, harmful), (Story.VIRAL, VIRAL_SHARE), (Story.BRIGADED, BRIGADED_SHARE)):
        if draw < share:
            return story
        draw -= share
    return Story.ORDINARY


def assign_stories(rng: np.random.Generator, propensities: Floats) -> list[Story]:
    """One story for each post, with exact shares; the more propensity, the likelier a post is harmful."""
    count = len(propensities)
    # Adding Gumbel noise to log-weights and taking the largest draws without replacement by weight.
    order = np.argsort(-(np.log(propensities) + rng.gumbel(size=count)))
    harmful = round(count * HARMFUL_SHARE)
    others = rng.permutation(order[harmful:])
    viral, brigaded = round(count * VIRAL_SHARE), round(count * BRIGADED_SHARE)
    stories = [Story.ORDINARY] * count
    for story, chosen in (
        (Story.HARMFUL, order[:harmful]),
        (Story.VIRAL, others[:viral]),
        (Story.BRIGADED, others[viral : viral + brigaded]),
    ):
        for index in chosen:
            stories[int(index)] = story
    return stories
