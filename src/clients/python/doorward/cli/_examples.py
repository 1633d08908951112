"""The examples at the end of a command's help."""


def examples(*lines: str) -> str:
    """Return the epilog of a command that shows *lines*, each as it is typed."""
    heading = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join(("\b", heading, *(f"  {line}" for line in lines)))
