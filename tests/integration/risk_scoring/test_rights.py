"""What the database lets the scorer do, and what it enforces whoever writes."""

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege, UniqueViolation

from labkit.stack import Stack
from tests.integration.risk_scoring.desk import Desk
from tests.integration.risk_scoring.scorers import ScorerProcess, scorer_url
from tests.support.database import Rows
from tests.support.requests import asked

TABLE_RIGHTS = """
SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE grantee = 'risk_scoring'
"""
COLUMN_RIGHTS = """
SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges
WHERE grantee = 'risk_scoring' AND table_name IN ('images', 'users')
"""
AGAIN = """
INSERT INTO moderation (inference_request_id, target_type, target_id, inference_mode, model_version, risk_score,
                        recommendation, served, trigger_type, as_of, features, policy_version, rationale, created_at)
SELECT inference_request_id, target_type, target_id, %s, %s, risk_score, recommendation, %s, trigger_type, as_of,
       features, policy_version, rationale, created_at
FROM moderation WHERE inference_request_id = %s
"""


def test_the_role_has_the_rights_that_scoring_needs_and_no_others(rows: Rows) -> None:
    assert set(rows(TABLE_RIGHTS)) == {
        ("moderation", "INSERT"),
        ("scoring_mode", "SELECT"),
        ("model_versions", "SELECT"),
        ("model_versions", "INSERT"),
    }
    assert set(rows(COLUMN_RIGHTS)) == {
        *(("images", name, "SELECT") for name in ("id", "user_id", "caption", "category", "created_at", "deleted_at")),
        *(("users", name, "SELECT") for name in ("id", "created_at")),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation SET served = false",
        "DELETE FROM moderation",
        "SELECT features FROM moderation",
        "SELECT username FROM users",
        "SELECT * FROM images",
        "SELECT * FROM flags",
        "SELECT * FROM comments",
        "SELECT * FROM outbox",
        "SELECT * FROM api_tokens",
        "INSERT INTO image_milestones VALUES (1, 10, now())",
        "INSERT INTO scoring_mode (mode, changed_by) VALUES ('model', 'me')",
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "TRUNCATE moderation",
    ],
)
def test_everything_else_is_refused(stack: Stack, statement: str) -> None:
    connection = psycopg2.connect(scorer_url(stack))
    with connection.cursor() as cursor, pytest.raises(InsufficientPrivilege):
        cursor.execute(statement)
    connection.close()


def test_the_database_lets_one_decision_of_a_request_be_served(desk: Desk, scorer: ScorerProcess) -> None:
    """A model's score in the shadow may stand beside it; the same score twice, or another one served, may not."""
    request = asked(desk.some_image())
    desk.answer(request)
    this = str(request.request_id)
    desk.rows(AGAIN, "model", "1", False, this)
    for mode, version, served in (("model", "2", True), ("model", "1", False), ("heuristic", "", False)):
        with pytest.raises(UniqueViolation):
            desk.rows(AGAIN, mode, version, served, this)
    assert sorted(one["served"] for one in desk.decisions(request)) == [False, True]
