"""What a user can cause and mend."""


class MerecError(Exception):
    """A mistake in the input: one line that says what was expected, what was found, and where.

    The command line prints the line and ends with status 2. Anything else that is
    raised is a defect of the program and shows its traceback. Names and values that it quotes may
    come from a damaged file: what cannot be printed is shown as "?".
    """

    def __str__(self) -> str:
        """Return the line."""
        return printable(super().__str__())


class InterruptedSearchError(Exception):
    """A signal asked for an end: all that is needed to go on has been written."""


def told(error: BaseException) -> str:
    """Return what an error says, in a few printable characters."""
    return printable(" ".join(str(error).split()) or type(error).__name__)[:120]


def printable(text: str) -> str:
    """Return a text as one line that does nothing to a terminal."""
    return "".join(
        one if one.isprintable() else " " if one.isspace() else "?" for one in text.strip()
    )
