"""The first schema."""

from collections.abc import Sequence
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def _ascii(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _counter() -> sa.BigInteger:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _one_of(name: str, *members: str) -> sa.Enum:
    return sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    _create_apps()
    _create_tokens()
    _create_policy()
    _create_records()


def _create_apps() -> None:
    op.create_table(
        "apps",
        sa.Column("app_id", _ascii(36), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("access", _one_of("access", "TOKEN_REQUIRED", "PUBLIC"), nullable=False),
        sa.Column("operator_paths", sa.JSON(), nullable=False),
        sa.Column("cors_preflight", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            _one_of(
                "state",
                "QUEUED",
                "INITIALIZING",
                "SCALING",
                "RUNNING",
                "STOPPING",
                "STOPPED",
                "FAILED",
                "ERROR",
                "DELETING",
            ),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.Column("create_time", _time(), nullable=False),
        sa.Column("update_time", _time(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint("(host IS NULL) = (port IS NULL)", name="address"),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        sa.PrimaryKeyConstraint("app_id", name="pk_apps"),
    )
    op.create_index("ix_apps_create_time_app_id", "apps", ["create_time", "app_id"])
    op.create_index("ix_apps_region_create_time_app_id", "apps", ["region", "create_time", "app_id"])
    op.create_index("ix_apps_state", "apps", ["state"])
    op.create_table(
        "app_labels",
        sa.Column("app_id", _ascii(36), nullable=False),
        sa.Column("key", _ascii(317), nullable=False),
        sa.Column("value", _ascii(63), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.app_id"], name="fk_app_labels_app_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "key", name="pk_app_labels"),
    )
    op.create_index("ix_app_labels_key_value_app_id", "app_labels", ["key", "value", "app_id"])


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_id", _ascii(12), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", _one_of("role", "READ_ONLY", "OPERATOR", "ADMIN"), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("selector", sa.Text(), nullable=True),
        sa.Column("expire_time", _time(), nullable=True),
        sa.Column("create_time", _time(), nullable=False),
        sa.Column("update_time", _time(), nullable=False),
        sa.Column("last_used_time", _time(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name="version"),
        sa.CheckConstraint(
            "(role = 'ADMIN' AND region IS NULL AND selector IS NULL)"
            " OR (role <> 'ADMIN' AND region IS NOT NULL)",
            name="scope",
        ),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
    )
    op.create_index("ix_tokens_create_time_token_id", "tokens", ["create_time", "token_id"])
    op.create_index("ix_tokens_role", "tokens", ["role"])
    op.create_table(
        "token_generations",
        sa.Column("token_id", _ascii(12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("argon2_hash", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("mac_key_id", sa.Text(), nullable=False),
        sa.Column("expire_time", _time(), nullable=True),
        sa.CheckConstraint("number >= 1", name="number"),
        sa.CheckConstraint("length(mac) = 32", name="mac"),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.token_id"], name="fk_token_generations_token_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", "number", name="pk_token_generations"),
    )


def _create_policy() -> None:
    policy = op.create_table(
        "policy",
        sa.Column("singleton", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy_id", sa.String(36), nullable=False),
        sa.Column("revision", _counter(), nullable=False),
        sa.CheckConstraint("singleton = 1", name="singleton"),
        sa.CheckConstraint("revision >= 0", name="revision"),
        sa.PrimaryKeyConstraint("singleton", name="pk_policy"),
    )
    op.bulk_insert(policy, [{"singleton": 1, "policy_id": str(uuid4()), "revision": 0}])
    op.create_table(
        "changes",
        sa.Column("revision", _counter(), autoincrement=False, nullable=False),
        sa.Column("app_id", _ascii(36), nullable=True),
        sa.Column("token_id", _ascii(12), nullable=True),
        sa.CheckConstraint("(app_id IS NULL) <> (token_id IS NULL)", name="entry"),
        sa.PrimaryKeyConstraint("revision", name="pk_changes"),
    )


def _create_records() -> None:
    op.create_table(
        "audit_events",
        sa.Column("event_id", _counter(), nullable=False),
        sa.Column("time", _time(), nullable=False),
        sa.Column("actor", _ascii(12), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("revision", _counter(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_audit_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_actor_event_id", "audit_events", ["actor", "event_id"])
    op.create_index("ix_audit_events_action_event_id", "audit_events", ["action", "event_id"])
    op.create_index("ix_audit_events_resource_id_event_id", "audit_events", ["resource_id", "event_id"])
    op.create_index("ix_audit_events_time", "audit_events", ["time"])
    op.create_table(
        "past_requests",
        sa.Column("caller", _ascii(12), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("time", _time(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "request_id", name="pk_past_requests"),
    )
    op.create_index("ix_past_requests_time", "past_requests", ["time"])
    op.create_table(
        "replicas",
        sa.Column("replica_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("replica_id", name="pk_replicas"),
    )
