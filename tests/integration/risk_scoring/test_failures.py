"""Whatever goes away for a while: every request is decided, once, and the scorer stops when it is told to."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from gourmetgram.core.moderation import ModerationRequest
from labkit.stack import Stack
from tests.integration.risk_scoring.desk import Desk
from tests.integration.risk_scoring.scorers import ScorerProcess
from tests.support.database import superuser_url
from tests.support.processes import free_port, wait_until
from tests.support.requests import asked

QUICK_SECONDS = 5


@pytest.fixture
def desk(bare_stack: Stack) -> Iterator[Desk]:
    with Desk.at(bare_stack) as desk:
        yield desk


def several(desk: Desk, number: int = 20) -> list[ModerationRequest]:
    return [asked(desk.some_image(), "flagged", "1", total_flags=1) for _ in range(number)]


def waits_for_lock(desk: Desk) -> bool:
    sql = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'risk_scoring' AND wait_event_type = 'Lock'"
    return bool(desk.rows(sql))


def test_without_postgresql_requests_wait_and_are_all_decided(bare_stack: Stack, desk: Desk, log: Path) -> None:
    requests = several(desk)
    with ScorerProcess(bare_stack, log) as scorer:
        desk.answer(asked(desk.some_image()))
        bare_stack.stop("postgres")
        desk.ask(*requests)
        wait_until(lambda: scorer.metric("scorer_failures_total") >= 3, "it has tried several times")
        bare_stack.up("postgres")
        with Desk.at(bare_stack) as again:
            assert len(again.answers(requests)) == len(requests)
        assert scorer.metric("scorer_dead_letters_total") == 0
    assert "trying again" in scorer.log()


def test_a_session_that_postgresql_ends_costs_nothing(bare_stack: Stack, desk: Desk, log: Path) -> None:
    with ScorerProcess(bare_stack, log):
        desk.answer(asked(desk.some_image()))
        desk.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'risk_scoring'")
        assert desk.answer(asked(desk.some_image()))


def test_without_the_broker_it_waits_and_goes_on(bare_stack: Stack, desk: Desk, log: Path) -> None:
    with ScorerProcess(bare_stack, log) as scorer:
        desk.answer(asked(desk.some_image()))
        bare_stack.kill("redpanda")
        desk.ask(*(requests := several(desk)))
        assert len(desk.answers(requests)) == len(requests)
        assert scorer.runs


def test_killed_between_decision_and_offset_it_does_not_decide_again(bare_stack: Stack, desk: Desk, log: Path) -> None:
    """Offsets are committed twice a second, so a kill right after a decision comes between the two, nearly always."""
    group = f"killed-{uuid.uuid4()}"
    decided = []
    for _ in range(8):
        with ScorerProcess(bare_stack, log, SCORER_GROUP=group) as scorer:
            desk.answer(first := asked(desk.some_image()))
            repeated = scorer.metric("scorer_repeated_total")
            scorer.kill()
        decided.append(first)
        if repeated:
            break
    assert repeated > 0, "no kill came in time"
    assert len(desk.decisions(*decided)) == len(decided)


def test_decisions_that_a_lock_holds_up_survive_a_kill(bare_stack: Stack, desk: Desk, log: Path) -> None:
    """Read, but not decided: the offset must not have been committed, however long ago the record was read."""
    group = f"held-{uuid.uuid4()}"
    requests = several(desk)
    with ScorerProcess(bare_stack, log, SCORER_GROUP=group) as scorer:
        desk.answer(asked(desk.some_image()))
        with psycopg2.connect(superuser_url(bare_stack)) as holding:
            holding.cursor().execute("LOCK moderation IN SHARE MODE")
            desk.ask(*requests)
            wait_until(lambda: waits_for_lock(desk), "the scorer waits for the table")
            time.sleep(1.2)  # two commits of offsets
            scorer.kill()
        holding.close()
    with ScorerProcess(bare_stack, log, SCORER_GROUP=group):
        assert len(desk.answers(requests)) == len(requests)


def test_two_scorers_share_the_work_and_decide_everything_once(bare_stack: Stack, desk: Desk, log: Path) -> None:
    group = f"pair-{uuid.uuid4()}"
    with (
        ScorerProcess(bare_stack, log, SCORER_GROUP=group, SCORER_INSTANCE="1"),
        ScorerProcess(bare_stack, log.with_suffix(".2"), SCORER_GROUP=group, SCORER_INSTANCE="2") as second,
    ):
        desk.ask(*(requests := several(desk, 60)))
        desk.answers(requests)
        second.kill()
        desk.ask(*(more := several(desk, 60)))
        desk.answers(more)
    assert len(desk.decisions(*requests, *more)) == 120


@pytest.mark.parametrize("away", ["nothing", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"])
def test_it_stops_quickly_when_told_to_whoever_is_away(bare_stack: Stack, log: Path, away: str) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    changes = {"DATABASE_URL": f"postgresql://risk_scoring@{nobody}/x", "KAFKA_BOOTSTRAP_SERVERS": nobody}
    with ScorerProcess(bare_stack, log, **{name: value for name, value in changes.items() if name == away}) as scorer:
        wait_until(lambda: bool(scorer.log()), "it has begun")
        began = time.monotonic()
        assert scorer.stop() == 0
        assert time.monotonic() - began < QUICK_SECONDS
