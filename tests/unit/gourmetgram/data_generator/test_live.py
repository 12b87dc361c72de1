from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gourmetgram.data_generator.live_traffic import Pace
from gourmetgram.data_generator.world.actions import Action, Deed
from gourmetgram.data_generator.world.live import LiveWorld
from gourmetgram.data_generator.world.posts import Story
from gourmetgram.data_generator.world.words import COMPLAINTS


def actions(seed: int, count: int, users: int = 50, images: int = 40) -> list[Action]:
    return LiveWorld(seed, users, images, 2026).first(count)


def test_same_seed_same_decisions() -> None:
    assert actions(42, 3000) == actions(42, 3000)
    assert actions(42, 3000) != actions(43, 3000)


def test_initial_people_and_images_come_first() -> None:
    deeds = [action.deed for action in actions(42, 91)]
    assert deeds[:90] == [Deed.USER] * 50 + [Deed.UPLOAD] * 40
    assert all(action.gap == 0 for action in actions(42, 90))


def test_shape_of_the_traffic() -> None:
    counts = Counter(action.deed for action in actions(42, 20_090)[90:])
    wanted = {Deed.VIEW: 0.80, Deed.COMMENT: 0.13, Deed.UPLOAD: 0.03, Deed.FLAG: 0.02}
    for deed, share in wanted.items():
        assert abs(counts[deed] / 20_000 - share) < 0.012, deed
    assert 0 < counts[Deed.DELETION] < 200


def test_people_complain_before_anybody_flags() -> None:
    """As in the history; what is flagged by mistake is in the count, so it is not always so."""
    done = actions(42, 30_000)
    stories = {action.image: action.post.story for action in done if action.post is not None}
    first: dict[tuple[Deed, int | None], int] = {}
    for action in done:
        if action.text in COMPLAINTS or (action.deed is Deed.FLAG and action.comment is None):
            first.setdefault((action.deed, action.image), action.number)
    harmful = [image for deed, image in first if deed is Deed.FLAG and stories[image] is Story.HARMFUL]
    before = [first.get((Deed.COMMENT, image), len(done)) < first[Deed.FLAG, image] for image in harmful]
    assert len(before) > 40
    assert sum(before) > 0.75 * len(before)


def test_most_flags_are_on_posts_in_trouble() -> None:
    done = actions(42, 30_000)
    stories = {action.image: action.post.story for action in done if action.post is not None}
    flags = Counter(stories[action.image] for action in done if action.deed is Deed.FLAG and action.comment is None)
    assert 0.6 * flags.total() < flags[Story.HARMFUL] + flags[Story.BRIGADED] < 0.95 * flags.total()


def test_views_are_skewed() -> None:
    views = Counter(action.image for action in actions(42, 3090) if action.deed is Deed.VIEW)
    most = [count for _, count in views.most_common()]
    assert sum(most[: len(most) // 10]) > 0.25 * sum(most)
    assert most[0] > 10 * most[len(most) // 2]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 20), st.integers(1, 20))
def test_every_action_refers_to_what_is_there(seed: int, users: int, images: int) -> None:
    people: list[str] = []
    alive: dict[int, int] = {}
    comments: set[int] = set()
    flags: set[tuple[int, int | None, int | None]] = set()
    for number, action in enumerate(actions(seed, 1500, users, images)):
        assert action.number == number
        if action.person is not None:
            assert action.actor == len(people)
            people.append(action.person.username)
            continue
        assert 0 <= action.actor < len(people)
        assert action.image is not None
        if action.post is not None:
            alive[action.image] = action.actor
            continue
        assert action.image in alive
        if action.deed is Deed.COMMENT:
            assert action.text
            comments.add(number)
        elif action.deed is Deed.FLAG:
            assert action.comment is None or action.comment in comments
            key = (action.actor, action.image if action.comment is None else None, action.comment)
            assert key not in flags
            flags.add(key)
        elif action.deed is Deed.DELETION:
            assert alive.pop(action.image) == action.actor
    assert len(set(people)) == len(people)


def test_pace_keeps_the_rate_over_many_events() -> None:
    pace, now = Pace(3600.0, 0.0), 0.0
    done = actions(42, 5090)[90:]
    for action in done:
        now += pace.wait_before(action, now)
    assert abs(now - len(done)) < 0.06 * len(done)


def test_pace_does_not_rush_after_an_outage() -> None:
    pace = Pace(3600.0, 0.0)
    waits = [pace.wait_before(Action(n, Deed.VIEW, 0, 0, gap=1.0), 600.0) for n in range(10)]
    assert waits[0] == 0.0
    assert sum(waits) > 5
