"""What integration tests share."""

from tests.support.databases import (
    database_url,
    empty_database_url,
    migrated_sqlite,
    postgres,
    postgres_template,
    storage,
)

__all__ = [
    "database_url",
    "empty_database_url",
    "migrated_sqlite",
    "postgres",
    "postgres_template",
    "storage",
]
