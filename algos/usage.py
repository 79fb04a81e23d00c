"""The error of learning that is the user's to mend, and what any error says in short."""

import traceback
from contextlib import suppress

LONGEST = 200
"""Characters that are told of an error: whole logs follow some."""


class UsageError(ValueError):
    """What was given cannot be used; the message names it and what to give instead.

    As `robots.usage.UsageError`, which this package does not know.
    """


class SpaceError(UsageError):
    """Nothing is learned in a space; who knows the environment's id tells it, too."""


def placed(error: BaseException) -> str:
    """Return an error's reason and the line that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{reason(error)} ({place.filename}:{place.lineno})"


def reason(error: BaseException) -> str:
    """Return an error's type and the beginning of what it says, if anything, on one line."""
    text = ""
    with suppress(Exception):  # of one whose own __str__ fails
        text = " ".join(str(error).split())
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} ..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
