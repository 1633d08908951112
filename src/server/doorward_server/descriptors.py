"""How many files and connections a process may have open."""

import contextlib
import resource


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open descriptors to the hard one, for a process that starts no others.

    The soft limit is often 1024, for the sake of programs that use select(2): whoever can connect so often
    would keep everybody else out. Go's runtime does the same, and gives what it starts the former limit
    back; api, which starts other people's programs, keeps to the limit that it was given.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # macOS calls its hard limit infinite and refuses it: the process then runs with what it has.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
