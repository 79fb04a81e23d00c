"""The error of learning that is the user's to mend."""


class UsageError(ValueError):
    """What was given cannot be used; the message names it and what to give instead.

    As `robots.usage.UsageError`, which this package does not know.
    """
