"""The replicas that may hold a lease, in the database."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from doorward_server.storage.models import ReplicaRow


class SqlReplicas:
    """Implements `services.ports.ReplicaRepository`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, replica_id: str) -> None:
        insert = postgresql.insert if self._session.get_bind().dialect.name == "postgresql" else sqlite.insert
        await self._session.execute(insert(ReplicaRow).values(replica_id=replica_id).on_conflict_do_nothing())

    async def remove(self, replica_id: str) -> None:
        await self._session.execute(delete(ReplicaRow).where(ReplicaRow.replica_id == replica_id))

    async def all(self) -> Sequence[str]:
        return (
            await self._session.scalars(select(ReplicaRow.replica_id).order_by(ReplicaRow.replica_id))
        ).all()
