"""The error of learning that is the user's to mend, and what any error says in short."""


class UsageError(ValueError):
    """What was given cannot be used; the message names it and what to give instead.

    As `robots.usage.UsageError`, which this package does not know.
    """


def reason(error: BaseException) -> str:
    """Return an error's type and the first line of what it says, if it says anything."""
    lines = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])
