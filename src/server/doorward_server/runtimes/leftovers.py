"""Processes of apps that a former run of the server has left behind.

The warden ends them when the server dies; this is for the case that both were killed. A process is ended only
if it is the one that was written down: its number *and* its start time are the same. The numbers of processes
are used again.
"""

import asyncio
import contextlib
import io
import json
import logging
import os
import signal
from pathlib import Path
from typing import Final

from doorward_server.runtimes.children.proc import ProcessIdentity, group_has_members, identify
from doorward_server.runtimes.folders import open_regular

_log = logging.getLogger(__name__)

_POLL_PERIOD: Final = 0.05
_KILL_PATIENCE: Final = 5.0
_LONGEST_RECORD: Final = 4096


def remember(record: Path, pid: int) -> None:
    """Write down a process that was just started. Raises OSError."""
    identity = identify(pid)
    if identity is None:
        return
    fresh = record.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": identity.pid, "started": identity.started}), encoding="utf-8")
    fresh.replace(record)


def forget(record: Path) -> None:
    """Strike out a process that is gone."""
    # Whatever an app has made of it harms nobody: start times tell what it does not name.
    with contextlib.suppress(OSError):
        record.unlink()


async def end_leftover(record: Path, *, grace: float) -> int | None:
    """End the process group that *record* names if it still runs; its number if there was one.

    *grace*: seconds between SIGTERM and SIGKILL.
    """
    identity = await asyncio.to_thread(_read, record)
    if identity is None:
        return None
    found = await asyncio.to_thread(identify, identity.pid) == identity
    if found:
        # While one of its processes runs, the group's number is not used again.
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, _KILL_PATIENCE)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(identity.pid, number)
            if await _gone_within(patience, identity.pid):
                break
    forget(record)
    return identity.pid if found else None


async def _gone_within(seconds: float, pgid: int) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while await asyncio.to_thread(group_has_members, pgid):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_POLL_PERIOD)
    except TimeoutError:
        return False
    return True


def _read(record: Path) -> ProcessIdentity | None:
    try:
        with io.FileIO(record, opener=open_regular) as file:
            # Never more: the app itself can write here.
            fields = json.loads(file.read(_LONGEST_RECORD))
        pid, started = fields["pid"], fields["started"]
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("a record of a process cannot be read: %s", error)
        return None
    except (ValueError, KeyError, TypeError, RecursionError):
        _log.warning("%s does not name a process: ignored", record)
        return None
    # Below 2 are the numbers that mean something else to kill(2).
    if type(pid) is not int or pid < 2 or not isinstance(started, str):
        _log.warning("%s does not name a process: ignored", record)
        return None
    return ProcessIdentity(pid, started)
