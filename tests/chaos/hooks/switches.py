"""How a test tells a hook in another process what to do: files in the home of the platform."""

import os
from pathlib import Path

HOME_VARIABLE = "DOORWARD_HOME"


def switch(home: Path, name: str) -> Path:
    """The file of a switch."""
    return home / f"chaos-{name}"


def own_switch(name: str) -> Path:
    """The file of a switch in this process's platform."""
    return switch(Path(os.environ[HOME_VARIABLE]), name)
