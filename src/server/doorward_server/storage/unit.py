"""A transaction with all the repositories in it."""

from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.services.ports import (
    AppRepository,
    AuditLog,
    PastRequests,
    PolicyLog,
    ReplicaRepository,
    SessionRepository,
    TokenRepository,
)
from doorward_server.storage.apps import SqlApps
from doorward_server.storage.audit import SqlAuditLog
from doorward_server.storage.past_requests import SqlPastRequests
from doorward_server.storage.policy import SqlPolicyLog
from doorward_server.storage.replicas import SqlReplicas
from doorward_server.storage.sessions import SqlSessions
from doorward_server.storage.tokens import SqlTokens


class SqlUnitOfWork:
    """Implements `services.ports.UnitOfWork`."""

    def __init__(self, session: AsyncSession, *, writes: bool) -> None:
        """Rows that are read to be written stay locked; a snapshot (*writes* is false) locks nothing."""
        self.apps: AppRepository = SqlApps(session, writes=writes)
        self.tokens: TokenRepository = SqlTokens(session, writes=writes)
        self.sessions: SessionRepository = SqlSessions(session, writes=writes)
        self.audit: AuditLog = SqlAuditLog(session)
        self.policy: PolicyLog = SqlPolicyLog(session)
        self.past_requests: PastRequests = SqlPastRequests(session, writes=writes)
        self.replicas: ReplicaRepository = SqlReplicas(session)
