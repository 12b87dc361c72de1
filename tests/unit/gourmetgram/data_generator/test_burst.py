from collections import Counter

import pytest

from gourmetgram.data_generator.world.actions import Deed
from gourmetgram.data_generator.world.burst import BurstSize, plan_burst


@pytest.mark.parametrize("size", [BurstSize(110, 8, 2), BurstSize(0, 0, 0), BurstSize(5, 1, 90), BurstSize(0, 3, 0)])
def test_counts_are_exact_and_flags_come_first(size: BurstSize) -> None:
    burst = plan_burst(42, 1, size, 2026, upload=True)
    sent = [*burst.people, *burst.upload, *burst.flags, *burst.engagement]
    assert [action.number for action in sent] == list(range(len(sent)))
    counts = Counter(action.deed for action in sent)
    wanted = {Deed.VIEW: size.views, Deed.COMMENT: size.comments, Deed.FLAG: size.flags, Deed.UPLOAD: 1}
    assert {deed: counts[deed] for deed in wanted} == wanted
    assert Deed.FLAG not in {action.deed for action in burst.engagement}


def test_flags_come_from_different_people_who_count() -> None:
    burst = plan_burst(42, 1, BurstSize(110, 8, 30), 2026, upload=True)
    flaggers = [action.actor for action in burst.flags]
    assert len(set(flaggers)) == 30
    assert burst.upload[0].actor not in flaggers
    people = [action.person for action in burst.people if action.person is not None]
    assert not any(person.is_test_account for person in people)
    assert all(person.year_of_birth is not None and 2026 - person.year_of_birth > 18 for person in people)


def test_same_seed_and_run_same_burst_another_run_other_names() -> None:
    first, again, second = (plan_burst(42, run, BurstSize(9, 3, 1), 2026, upload=True) for run in (1, 1, 2))
    assert first == again
    names = [{a.person.username for a in burst.people if a.person} for burst in (first, second)]
    assert not names[0] & names[1]


def test_a_given_image_is_not_uploaded() -> None:
    assert plan_burst(42, 1, BurstSize(9, 3, 1), 2026, upload=False).upload == []
