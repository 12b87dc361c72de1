from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gourmetgram.data_generator.world.engagement import COMMENT, FLAG, VIEW
from gourmetgram.data_generator.world.history import History, Size, build_history
from gourmetgram.data_generator.world.posts import Signals, Story
from gourmetgram.data_generator.world.rates import DAY, HOUR, MINUTE

END = datetime(2026, 3, 14, 15, tzinfo=UTC)
SIZE = Size(days=7, users=400, images=1500, events=60_000)
SMALL = Size(days=7, users=20, images=50, events=2000)


@pytest.fixture(scope="module")
def history() -> History:
    return build_history(42, END, SIZE)


@pytest.fixture(scope="module")
def null() -> History:
    return build_history(42, END, SIZE, signals=Signals.NONE)


def grown(history: History) -> np.ndarray:
    """Posts whose first day is over."""
    return history.uploaded < END.timestamp() - DAY


def are(history: History, story: Story) -> np.ndarray:
    return np.array([post.story is story for post in history.posts])


def counted(history: History, kind: int, within: float) -> np.ndarray:
    """Events of a kind for each post, up to this age."""
    events = history.events
    chosen = (events.kind == kind) & (events.time <= history.uploaded[events.image] + within)
    return np.bincount(events.image[chosen], minlength=len(history.posts))


def first(history: History, kind: int) -> np.ndarray:
    """The age of each post when the first event of a kind comes; infinite where none does."""
    ages = np.full(len(history.posts), np.inf)
    events = history.events
    chosen = events.kind == kind
    np.minimum.at(ages, events.image[chosen], (events.time - history.uploaded[events.image])[chosen])
    return ages


def deviations(history: History, answer: np.ndarray, posts: np.ndarray) -> dict[str, float]:
    """What each thing that can be seen of these posts tells about the answer, in standard errors (Mann and Whitney)."""
    uploader = history.uploader
    seen = {
        "spammer": np.array([history.people[person].persona.name == "spammer" for person in uploader]),
        "posts of the uploader": np.bincount(uploader)[uploader],
        "age of the account": history.uploaded - history.joined[uploader],
        "night": history.uploaded % DAY < 6 * HOUR,
        "caption": np.array([len(post.caption) for post in history.posts]),
        "no caption": np.array([post.caption == "" for post in history.posts]),
        "category": np.array([post.category < "Fried" for post in history.posts]),
        "appeal": np.array([post.appeal for post in history.posts]),
        **{
            f"views within {age / MINUTE:.0f} min": counted(history, VIEW, age)
            for age in (5 * MINUTE, 30 * MINUTE, DAY)
        },
        **{
            f"comments within {age / MINUTE:.0f} min": counted(history, COMMENT, age)
            for age in (5 * MINUTE, 30 * MINUTE, DAY)
        },
    }
    return {name: deviation(answer[posts], values[posts]) for name, values in seen.items()}


def deviation(answer: np.ndarray, values: np.ndarray) -> float:
    """How far the ROC AUC of values is from a half, in standard errors; ties make these smaller."""
    yes, no, count = answer.sum(), (~answer).sum(), len(answer)
    ties = np.unique(values, return_counts=True)[1]
    spread = 1 - (ties**3 - ties).sum() / (count**3 - count)
    return float(roc_auc_score(answer, values) - 0.5) / float(np.sqrt((count + 1) / (12 * yes * no) * spread))


def test_same_seed_same_world_another_seed_another_world() -> None:
    assert build_history(1, END, SMALL).digest() == build_history(1, END, SMALL).digest()
    assert build_history(1, END, SMALL).digest() != build_history(2, END, SMALL).digest()


def test_another_end_moves_times_but_not_people_and_posts() -> None:
    today, tomorrow = (build_history(1, END + timedelta(days=d), SMALL) for d in (0, 1))
    assert today.people == tomorrow.people
    assert today.posts == tomorrow.posts
    assert np.allclose(tomorrow.uploaded - today.uploaded, DAY)


@pytest.mark.parametrize(
    "size", [SMALL, Size(1, 1, 1, 10), Size(7, 3, 5, 0), Size(0.1, 5, 300, 100)], ids=["small", "one", "none", "brief"]
)
def test_sizes_are_exact(size: Size) -> None:
    built = build_history(7, END, size)
    assert (len(built.people), len(built.posts), len(built.events)) == (size.users, size.images, size.events)


def test_a_history_without_images_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        build_history(1, END, Size(7, 10, 0, 10))


def test_nothing_happens_too_early_or_too_late(history: History) -> None:
    events = history.events
    assert np.all(np.diff(events.time) >= 0)
    assert np.all(events.time > history.uploaded[events.image])
    assert events.time.max() <= END.timestamp()
    assert history.uploaded.min() >= (END - timedelta(days=7)).timestamp()
    assert np.all(history.joined[events.person] <= events.time)
    assert np.all(history.joined[history.uploader] <= history.uploaded)


def test_shape_of_the_traffic(history: History) -> None:
    events = history.events
    share = np.bincount(events.kind, minlength=3) / len(events)
    assert 0.80 < share[VIEW] < 0.90
    assert 0.10 < share[COMMENT] < 0.16
    assert 0.002 < share[FLAG] < 0.05
    views = np.sort(np.bincount(events.image[events.kind == VIEW], minlength=len(history.posts)))[::-1]
    assert views[: len(views) // 10].sum() > 0.4 * views.sum()
    assert np.median(views) < 0.6 * views.mean()


def test_five_to_ten_percent_are_harmful_and_most_of_those_get_flagged_after_a_while(history: History) -> None:
    events, harmful = history.events, np.array([post.harmful for post in history.posts])
    assert 0.05 <= harmful.mean() <= 0.10
    flags = events.kind == FLAG
    flagged = np.zeros(len(harmful), dtype=bool)
    flagged[events.image[flags]] = True
    grown = history.uploaded < END.timestamp() - DAY
    assert flagged[harmful & grown].mean() > 0.8
    assert 0.005 < flagged[~harmful & grown].mean() < 0.06
    ages = (events.time - history.uploaded[events.image])[flags & harmful[events.image]]
    assert np.median(ages) > 30 * 60


def test_harmful_posts_draw_more_comments_for_their_views(history: History) -> None:
    events, harmful = history.events, np.array([post.harmful for post in history.posts])
    on_harmful = harmful[events.image]
    ratio = [
        np.sum((events.kind == COMMENT) & on) / np.sum((events.kind == VIEW) & on) for on in (on_harmful, ~on_harmful)
    ]
    assert ratio[0] > 2 * ratio[1]


def test_people_complain_before_anybody_flags(history: History) -> None:
    """Half an hour after the upload, most harmful posts are talked about, and few have a flag."""
    harmful = are(history, Story.HARMFUL) & grown(history)
    talked = counted(history, COMMENT, 30 * MINUTE)
    assert (talked[harmful] >= 5).mean() > 0.6
    assert (talked[are(history, Story.ORDINARY)] >= 5).mean() < 0.1
    flagged = first(history, FLAG)[harmful]
    assert 0.02 < (flagged < 30 * MINUTE).mean() < 0.25
    assert (first(history, COMMENT)[harmful] < flagged).mean() > 0.9
    assert HOUR < np.median(flagged) < 3 * HOUR


def test_what_goes_viral_is_discussed_without_harm_and_what_is_brigaded_gets_flagged(history: History) -> None:
    talked = counted(history, COMMENT, 30 * MINUTE)
    viral, brigaded = (are(history, story) & grown(history) for story in (Story.VIRAL, Story.BRIGADED))
    assert talked[viral].mean() > 5 * talked[are(history, Story.ORDINARY)].mean()
    assert (first(history, FLAG)[viral] > DAY).mean() > 0.7
    assert (first(history, FLAG)[brigaded] < DAY).mean() > 0.9


def test_without_signals_nothing_that_can_be_seen_tells_who_is_harmful_or_gets_flagged(
    history: History, null: History
) -> None:
    everything = np.ones(len(null.posts), dtype=bool)
    for answer, posts in ((are(null, Story.HARMFUL), everything), (first(null, FLAG) < DAY, grown(null))):
        found = deviations(null, answer, posts)
        assert all(abs(errors) < 4 for errors in found.values()), found
    telling = deviations(history, are(history, Story.HARMFUL), everything)
    for name in ("spammer", "no caption", "comments within 30 min"):
        assert telling[name] > 4, telling


def test_without_signals_there_is_as_much_harm_and_flags_come_as_they_do(history: History, null: History) -> None:
    for story in Story:
        assert are(null, story).sum() == are(history, story).sum()
    assert {post.looks for post in null.posts} == {Story.ORDINARY}
    chosen = [are(one, Story.HARMFUL) & grown(one) for one in (history, null)]
    counts = [counted(one, FLAG, DAY)[posts] for one, posts in zip((history, null), chosen, strict=True)]
    ages = [first(one, FLAG)[posts] for one, posts in zip((history, null), chosen, strict=True)]
    assert abs(counts[0].mean() - counts[1].mean()) < 4 * np.hypot(*(one.std() / len(one) ** 0.5 for one in counts))
    assert np.median(ages[0]) == pytest.approx(np.median(ages[1]), rel=0.35)
    assert len(null.events) == len(history.events)


def test_nobody_flags_an_image_twice_or_their_own(history: History) -> None:
    events = history.events
    flags = events.kind == FLAG
    pairs = list(zip(events.image[flags].tolist(), events.person[flags].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert not np.any(events.person[flags] == history.uploader[events.image[flags]])


def test_people_are_varied(history: History) -> None:
    ages = [2026 - person.year_of_birth for person in history.people if person.year_of_birth is not None]
    assert len({person.username for person in history.people}) == len(history.people)
    assert 0.02 < 1 - len(ages) / len(history.people) < 0.16
    assert 0.02 < np.mean([age <= 18 for age in ages]) < 0.12
    assert any(person.is_test_account for person in history.people)
    assert len({person.country for person in history.people}) > 10


def test_captions_are_varied_and_some_are_empty(history: History) -> None:
    captions = [post.caption for post in history.posts]
    assert 0.08 < captions.count("") / len(captions) < 0.2
    assert len(set(captions)) > 0.75 * len(captions)


def test_event_ids_are_unique_and_carry_their_time(history: History) -> None:
    ids = [UUID(history.event_id(row)) for row in range(5000)]
    assert len(set(ids)) == 5000
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, "specified in RFC 4122")}
    assert [id_.int >> 80 for id_ in ids] == [int(time * 1000) for time in history.events.time[:5000]]
