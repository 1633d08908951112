"""Sessions with the console, which have no app."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _ascii(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    # SQLite cannot change a column: it makes the table anew, and copies it.
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("app_id", existing_type=_ascii(36), nullable=True)
