"""What the real-time path needs: where a decision's counts come from, and the rights of its two services."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL file beside this one."""
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
