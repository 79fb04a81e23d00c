"""The error of robots and environments that is the user's to mend."""


class UsageError(ValueError):
    """What was given cannot be used; the message names it and what to give instead.

    The programs print it as one line. Any other error is a fault, of a user's own code perhaps,
    and keeps its traceback.
    """
