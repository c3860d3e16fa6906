"""What a user can cause and mend."""


class MerecError(Exception):
    """A mistake in the input: one line that says what was expected, what was found, and where.

    The command line prints the line and ends with status 2. Anything else that is
    raised is a defect of the program and shows its traceback.
    """


class InterruptedSearchError(Exception):
    """A signal asked for an end: all that is needed to go on has been written."""
