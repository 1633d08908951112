"""The tables. Every constraint has a name, so that a migration can change it."""

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.orm.collections import attribute_keyed_dict

from doorward_server.domain.apps import Access, AppState
from doorward_server.domain.roles import Role
from doorward_server.storage.columns import (
    AppIdColumn,
    Document,
    LabelKey,
    LabelValue,
    Note,
    RegionColumn,
    SessionIdColumn,
    Time,
    TokenIdColumn,
    counter,
)


class Base(DeclarativeBase):
    """What all tables have in common."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


def _one_of(kind: type[AppState | Access | Role], name: str) -> Enum:
    """The name of a member, as text: an enum type of PostgreSQL's could not lose a member again."""
    return Enum(kind, name=name, native_enum=False, create_constraint=True, length=32)


class AppRow(Base):
    """An app. What a decision needs stands in columns, apart from what may hold secrets."""

    __tablename__ = "apps"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("(host IS NULL) = (port IS NULL)", name="address"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
        Index(None, "create_time", "app_id"),
        Index(None, "region", "create_time", "app_id"),
        Index(None, "state"),
    )

    app_id: Mapped[AppIdColumn] = mapped_column(primary_key=True)
    display_name: Mapped[Note]
    region: Mapped[RegionColumn]
    access: Mapped[Access] = mapped_column(_one_of(Access, "access"))
    operator_paths: Mapped[Document]
    """A list of strings."""
    cors_preflight: Mapped[bool]
    spec: Mapped[Document]
    """The rest of the spec, see `documents`. Holds the values of environment variables."""
    state: Mapped[AppState] = mapped_column(_one_of(AppState, "state"))
    message: Mapped[Note]
    host: Mapped[Note | None]
    port: Mapped[int | None]
    history: Mapped[Document]
    create_time: Mapped[Time]
    update_time: Mapped[Time]
    version: Mapped[int]

    label_rows: Mapped[dict[str, "AppLabelRow"]] = relationship(
        collection_class=attribute_keyed_dict("key"),
        cascade="all, delete-orphan",
        passive_deletes=True,
        lazy="raise",
    )


class AppLabelRow(Base):
    """One label of an app."""

    __tablename__ = "app_labels"
    __table_args__ = (Index(None, "key", "value", "app_id"),)

    app_id: Mapped[AppIdColumn] = mapped_column(
        ForeignKey("apps.app_id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[LabelKey] = mapped_column(primary_key=True)
    value: Mapped[LabelValue]


class TokenRow(Base):
    """A token, without its secrets."""

    __tablename__ = "tokens"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint(
            "(role = 'ADMIN' AND region IS NULL AND selector IS NULL)"
            " OR (role <> 'ADMIN' AND region IS NOT NULL)",
            name="scope",
        ),
        Index(None, "create_time", "token_id"),
        Index(None, "role"),
    )

    token_id: Mapped[TokenIdColumn] = mapped_column(primary_key=True)
    display_name: Mapped[Note]
    role: Mapped[Role] = mapped_column(_one_of(Role, "role"))
    region: Mapped[RegionColumn | None]
    selector: Mapped[Note | None]
    """In its canonical text."""
    expire_time: Mapped[Time | None]
    create_time: Mapped[Time]
    update_time: Mapped[Time]
    last_used_time: Mapped[Time | None]
    version: Mapped[int]

    generation_rows: Mapped[dict[int, "GenerationRow"]] = relationship(
        collection_class=attribute_keyed_dict("number"),
        cascade="all, delete-orphan",
        passive_deletes=True,
        lazy="raise",
    )


class GenerationRow(Base):
    """One secret of a token, as hashes."""

    __tablename__ = "token_generations"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("length(mac) = 32", name="mac"),
    )

    token_id: Mapped[TokenIdColumn] = mapped_column(
        ForeignKey("tokens.token_id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    argon2_hash: Mapped[Note]
    mac: Mapped[bytes] = mapped_column(LargeBinary)
    mac_key_id: Mapped[Note]
    expire_time: Mapped[Time | None]


class SessionRow(Base):
    """A session that was begun. May outlive token and app, so it references none."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "end_time", "session_id"), Index(None, "expire_time"))

    session_id: Mapped[SessionIdColumn] = mapped_column(primary_key=True)
    token_id: Mapped[TokenIdColumn]
    # None: it is the console's.
    app_id: Mapped[AppIdColumn | None]
    create_time: Mapped[Time]
    expire_time: Mapped[Time]
    end_time: Mapped[Time | None]


class PolicyRow(Base):
    """Which policy this is, and its last revision: the table's only row."""

    __tablename__ = "policy"
    __table_args__ = (
        CheckConstraint("singleton = 1", name="singleton"),
        CheckConstraint("revision >= 0", name="revision"),
    )

    singleton: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy_id: Mapped[str] = mapped_column(String(36))
    revision: Mapped[int] = mapped_column(counter())


class ChangeRow(Base):
    """Which entry of the policy a revision changed. Outlives the entry, so it references none."""

    __tablename__ = "changes"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN app_id IS NULL THEN 0 ELSE 1 END + CASE WHEN token_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN session_id IS NULL THEN 0 ELSE 1 END = 1",
            name="entry",
        ),
    )

    revision: Mapped[int] = mapped_column(counter(), primary_key=True, autoincrement=False)
    app_id: Mapped[AppIdColumn | None]
    token_id: Mapped[TokenIdColumn | None]
    session_id: Mapped[SessionIdColumn | None]


class AuditRow(Base):
    """One change that somebody made. Outlives actor and resource, so it references none."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "actor", "event_id"),
        Index(None, "action", "event_id"),
        Index(None, "resource_id", "event_id"),
        Index(None, "time"),
        # An id is never given twice, even after the newest events were deleted.
        {"sqlite_autoincrement": True},
    )

    event_id: Mapped[int] = mapped_column(counter(), primary_key=True)
    time: Mapped[Time]
    actor: Mapped[TokenIdColumn | None]
    action: Mapped[Note]
    resource_type: Mapped[Note]
    resource_id: Mapped[Note]
    request_id: Mapped[Note]
    revision: Mapped[int | None] = mapped_column(counter())
    details: Mapped[Document]


class PastRequestRow(Base):
    """A create that was carried out."""

    __tablename__ = "past_requests"
    __table_args__ = (Index(None, "time"),)

    caller: Mapped[TokenIdColumn] = mapped_column(primary_key=True)
    request_id: Mapped[Note] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    resource_id: Mapped[Note]
    time: Mapped[Time]


class ReplicaRow(Base):
    """A replica that may hold a lease."""

    __tablename__ = "replicas"

    replica_id: Mapped[Note] = mapped_column(primary_key=True)
