"""What the system says of processes."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
LINUX: Final = (_PROC / "sys/kernel/random/boot_id").exists()
"""Whether the system tells of processes as Linux does."""
_DEAD: Final = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, and no later one that is given the same number."""

    pid: int
    started: str
    """When it was started, in whatever form this system tells."""


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has this number now; None when there is none, or only a zombie."""
    if LINUX:
        fields = _stat(pid)
        if fields is None or fields[0] in _DEAD:
            return None
        # proc_pid_stat(5): field 22, in ticks since the system was booted; so the boot is part of it.
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return ProcessIdentity(pid, f"{boot}+{fields[19]}")
    return _identify_by_ps(pid)


def _identify_by_ps(pid: int) -> ProcessIdentity | None:
    """POSIX has no start time to ask for, but each ps has this column (in whole seconds)."""
    answer = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, check=False, timeout=10
    )
    state, _, started = answer.stdout.decode(errors="replace").strip().partition(" ")
    if not started or state[0] in _DEAD:
        return None
    return ProcessIdentity(pid, started.strip())


def group_has_members(pgid: int) -> bool:
    """Whether a process of the group runs. On Linux, zombies do not count."""
    if not LINUX:
        try:
            os.killpg(pgid, 0)
        except (ProcessLookupError, PermissionError):
            # macOS says "not permitted" for a group of zombies.
            return False
        return True
    return any(
        (fields := _stat(int(each.name))) is not None and fields[2] == str(pgid) and fields[0] not in _DEAD
        for each in _PROC.iterdir()
        if each.name.isdigit()
    )


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/pid/stat from the third, the state, on."""
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The second field is the program's name in parentheses, which may hold anything.
    return text.rpartition(b")")[2].decode("ascii").split()
