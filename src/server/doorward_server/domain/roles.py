"""What a token permits."""

from enum import IntEnum


class Role(IntEnum):
    """What a token permits, within its scope. Each role includes the ones before."""

    READ_ONLY = 1
    """Use the apps in scope, with every HTTP method: read-only is about managing the app."""
    OPERATOR = 2
    """Also start, stop and delete them, read their logs, and use their operator paths."""
    ADMIN = 3
    """The platform's owner: everything, in every region."""
