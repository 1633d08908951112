"""Compare protos/ with the last ones on main: `buf breaking`, in a form that needs no schema registry.

``buf breaking --against .git#branch=main`` cannot be used as it is: main's tree lacks Google's protos, which
are copied from a wheel and never committed. So main's protos are laid out beside the copy first.

Takes the commit to compare with. Without one it is main, or the commit before where main itself is checked
out, since a commit never differs from itself.
"""

import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUF = ROOT / ".venv" / "bin" / "buf"


def git(*arguments: str) -> bytes:
    """Return what git printed, or raise CalledProcessError."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def commit(name: str) -> str | None:
    """Return the id of the commit that `name` means, or None."""
    try:
        return git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError:
        return None


def base() -> str | None:
    """Return the commit to compare with when none is named, or None when there is none yet."""
    main = commit("origin/main") or commit("main")
    return commit("HEAD~1") if main == commit("HEAD") else main


def compare(old: str) -> int:
    """Return the exit code of buf, comparing protos/ with those of the commit `old`."""
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(io.BytesIO(git("archive", "--format=zip", old, "protos"))) as archive:
            archive.extractall(scratch)
        shutil.copyfile(ROOT / "buf.yaml", Path(scratch, "buf.yaml"))
        shutil.copytree(ROOT / ".protos" / "google", Path(scratch, ".protos", "google"))
        print(f"buf breaking: comparing protos/ with {old}", flush=True)
        return subprocess.run([BUF, "breaking", "--against", scratch], cwd=ROOT, check=False).returncode


def main(named: str | None) -> int:
    """Compare with the commit `named`, else with `base`; say why when there is nothing to compare with."""
    old = named or base()
    if old is None or not git("ls-tree", old, "protos"):
        print("buf breaking: skipped, there is no earlier commit with protos/ to compare with")
        return 0
    return compare(old)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
