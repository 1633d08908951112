"""How the server's processes log: one line an event, to standard error, never a secret."""

import json
import logging
import sys
from datetime import UTC, datetime

from doorward_server.settings import Settings


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(settings: Settings, *, process: str) -> None:
    """Log what *process*, such as `api`, has to say."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(_JsonFormatter(process))
    else:
        handler.setFormatter(
            logging.Formatter(
                f"%(asctime)s.%(msecs)03d %(levelname)s {process} %(message)s", "%Y-%m-%dT%H:%M:%S"
            )
        )
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    # These tell of every statement and every migration step at INFO.
    for chatty in ("alembic", "aiosqlite", "sqlalchemy.engine"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
