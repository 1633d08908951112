"""Sessions of browsers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _ascii(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _counter() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", _ascii(36), nullable=False),
        sa.Column("token_id", _ascii(12), nullable=False),
        sa.Column("app_id", _ascii(36), nullable=False),
        sa.Column("create_time", _time(), nullable=False),
        sa.Column("expire_time", _time(), nullable=False),
        sa.Column("end_time", _time(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_end_time_session_id", "sessions", ["end_time", "session_id"])
    op.create_index("ix_sessions_expire_time", "sessions", ["expire_time"])
    # Made anew and empty: a replica that is behind takes a snapshot when it finds its change gone.
    op.drop_table("changes")
    op.create_table(
        "changes",
        sa.Column("revision", _counter(), autoincrement=False, nullable=False),
        sa.Column("app_id", _ascii(36), nullable=True),
        sa.Column("token_id", _ascii(12), nullable=True),
        sa.Column("session_id", _ascii(36), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN app_id IS NULL THEN 0 ELSE 1 END + CASE WHEN token_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN session_id IS NULL THEN 0 ELSE 1 END = 1",
            name="entry",
        ),
        sa.PrimaryKeyConstraint("revision", name="pk_changes"),
    )
