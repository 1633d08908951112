"""The load generators that are no Python packages."""

import shutil
from typing import Final

_PACKAGES: Final = {"h2load": "nghttp2-client", "wrk": "wrk"}
"""Each program, and the package of Debian and Ubuntu that has it."""


def missing_programs() -> str:
    """What to install, for people; empty when there is nothing to."""
    missing = {program: package for program, package in _PACKAGES.items() if shutil.which(program) is None}
    if not missing:
        return ""
    return (
        f"{' and '.join(missing)} not found. Debian, Ubuntu: apt-get install {' '.join(missing.values())}; "
        "macOS: brew install nghttp2 wrk"
    )
