"""`make demo`."""

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def test_the_demo_walks_the_whole_journey() -> None:
    """The demo ends well, shows commands and answers, and prints no secret."""
    done = subprocess.run(
        [sys.executable, DEMO],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The whole journey went as expected." in done.stdout
    assert done.stdout.count("$ curl") >= 12
    assert "Hello, World!" in done.stdout
    assert re.search(r"dw_\w{12}_\w{40}", done.stdout) is None
