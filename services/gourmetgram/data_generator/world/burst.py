"""One image that everybody suddenly looks at: flags first, then views and comments."""

from dataclasses import dataclass

from gourmetgram.data_generator.world.actions import Action, Deed
from gourmetgram.data_generator.world.people import draw_plain_adult
from gourmetgram.data_generator.world.posts import Story, draw_post
from gourmetgram.data_generator.world.seeding import pick, stream
from gourmetgram.data_generator.world.texts import draw_comment, draw_reason

CROWD = 40
"""Most people of a burst; they come back. More only where more flags are wanted, one for each person."""


@dataclass(frozen=True, slots=True)
class BurstSize:
    """How many views, comments and flags the image gets."""

    views: int
    comments: int
    flags: int

    @property
    def people(self) -> int:
        """People to register: the uploader and the crowd."""
        return 1 + max(self.flags, min(CROWD, max(self.views, self.comments, 1)))


@dataclass(frozen=True, slots=True)
class Burst:
    """The actions in their order: each part is complete before the next begins. The image has number 0."""

    people: list[Action]
    upload: list[Action]
    flags: list[Action]
    engagement: list[Action]


def plan_burst(seed: int, run: int, size: BurstSize, year: int, *, upload: bool) -> Burst:
    """Burst number `run` of a seed, on a new image (`upload`) or on one that is there."""
    rng = stream(seed, "burst", run)
    post = draw_post(rng, Story.HARMFUL if size.flags else Story.VIRAL)
    members = [draw_plain_adult(rng, f"b{run}x", number, year) for number in range(size.people)]
    number = iter(range(1 << 30))
    people = [Action(next(number), Deed.USER, actor, person=person) for actor, person in enumerate(members)]
    first = [Action(next(number), Deed.UPLOAD, 0, image=0, post=post)] if upload else []
    flaggers = 1 + rng.permutation(size.people - 1)[: size.flags]
    flags = [Action(next(number), Deed.FLAG, int(a), 0, text=draw_reason(rng, "harmful")) for a in flaggers]
    moods = [Deed.VIEW] * size.views + [Deed.COMMENT] * size.comments
    engagement = []
    for index in rng.permutation(len(moods)):
        actor = int(rng.integers(1, size.people))
        text = ""
        if moods[index] is Deed.COMMENT:
            text = draw_comment(rng, post.category, pick(rng, ("praise", "complaint")))
        engagement.append(Action(next(number), moods[index], actor, 0, text=text))
    return Burst(people, first, flags, engagement)
