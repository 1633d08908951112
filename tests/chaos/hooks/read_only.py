"""SQLite refuses to write while the switch is there, as it does when its file system is remounted."""

from sqlalchemy import Connection, Engine, event

from tests.chaos.hooks.switches import own_switch

SWITCH = "read-only"

_file = own_switch(SWITCH)


@event.listens_for(Engine, "before_cursor_execute")
def _refuse(connection: Connection, cursor: object, statement: str, *_: object) -> None:
    if connection.dialect.name == "sqlite" and statement == "BEGIN IMMEDIATE":
        execute = cursor.execute  # type: ignore[attr-defined]
        execute(f"PRAGMA query_only = {'ON' if _file.exists() else 'OFF'}")
