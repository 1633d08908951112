"""The database: SQLAlchemy models, repositories, the unit of work and the migrations."""

from doorward_server.storage.database import SqlStorage, open_storage
from doorward_server.storage.engines import PoolLoad
from doorward_server.storage.errors import (
    CommitUnknownError,
    DatabaseCorruptError,
    DatabaseUrlError,
    SchemaMismatchError,
    StorageDefectError,
)
from doorward_server.storage.schema import Upgrade, current, head, upgrade

__all__ = [
    "CommitUnknownError",
    "DatabaseCorruptError",
    "DatabaseUrlError",
    "PoolLoad",
    "SchemaMismatchError",
    "SqlStorage",
    "StorageDefectError",
    "Upgrade",
    "current",
    "head",
    "open_storage",
    "upgrade",
]
