"""Which rules a scorer goes by is a setting, and one that does not exist is a mistake that it names."""

from pathlib import Path

from labkit.stack import Stack
from tests.integration.risk_scoring.desk import Desk
from tests.integration.risk_scoring.scorers import ScorerProcess
from tests.support.requests import NOON, asked


def test_the_second_policy_is_chosen_by_a_setting(desk: Desk, stack: Stack, log: Path) -> None:
    request = asked(desk.some_image(), as_of=NOON, views_1hr=100, comments_1hr=51)
    with ScorerProcess(stack, log, POLICY_VERSION="v2"):
        decision = desk.answer(request)
    assert (decision["policy_version"], decision["risk_score"], decision["recommendation"]) == ("v2", 0.2, "SAFE")
    assert decision["rationale"]["policy"] == "v2"
    assert [rule["name"] for rule in decision["rationale"]["rules"]] == ["controversial"]


def test_a_new_policy_does_not_decide_again_what_was_decided(desk: Desk, stack: Stack, log: Path) -> None:
    request = asked(desk.some_image())
    for version in ("v1", "v2"):
        with ScorerProcess(stack, log, POLICY_VERSION=version):
            desk.answer(asked(desk.some_image()))  # it is at work, and behind the request when this is decided
            desk.answer(request)
            desk.answer(asked(request.image_id, "viral", version))
    (decision,) = desk.decisions(request)
    assert decision["policy_version"] == "v1"


def test_an_unknown_policy_is_refused_at_the_start_with_the_list(stack: Stack, log: Path) -> None:
    scorer = ScorerProcess(stack, log, POLICY_VERSION="v9").start()
    assert scorer.wait(20) != 0
    assert "expected a policy out of v1, v2, got 'v9'" in scorer.log()
