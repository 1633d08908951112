"""Column types that read back what was written, the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import mapped_column

from doorward_server.domain.ids import AppId, RegionName, SessionId, TokenId


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, in UTC, to the microsecond. A naive datetime is refused: nobody knows which instant it is.

    SQLite keeps it as text of a fixed width, which sorts as the instants do.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FreeText(TypeDecorator[str]):
    """Text that somebody else's program wrote.

    What a database cannot hold is replaced by U+FFFD: NUL (PostgreSQL) and lone surrogates (both).
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """*text* without what a database cannot hold."""
    return (
        text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        .encode("utf-16", "surrogatepass")
        .decode("utf-16", "replace")
    )


def _ascii(length: int) -> String:
    """ASCII of at most *length*, which sorts by code point, whatever the locale of the database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def counter() -> BigInteger:
    """A number that only grows."""
    # SQLite counts rows in INTEGER alone, which has 64 bits there.
    return BigInteger().with_variant(Integer(), "sqlite")


AppIdColumn = Annotated[AppId, mapped_column(_ascii(36))]
TokenIdColumn = Annotated[TokenId, mapped_column(_ascii(12))]
SessionIdColumn = Annotated[SessionId, mapped_column(_ascii(36))]
RegionColumn = Annotated[RegionName, mapped_column(FreeText())]
LabelKey = Annotated[str, mapped_column(_ascii(317))]
LabelValue = Annotated[str, mapped_column(_ascii(63))]
Time = Annotated[datetime, mapped_column(UtcDateTime())]
Note = Annotated[str, mapped_column(FreeText())]
Document = Annotated[Any, mapped_column(JSON())]
