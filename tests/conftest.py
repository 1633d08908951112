"""What holds for every test."""

from hypothesis import settings

# A property says what is right, not how fast: on a busy machine a deadline only makes it flaky.
settings.register_profile("doorward", deadline=None)
settings.load_profile("doorward")

_LONGEST_ID = 60


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long parameter by its argument: it may hold a secret, which is another one in each process."""
    return argname if isinstance(val, str | bytes) and len(val) > _LONGEST_ID else None
