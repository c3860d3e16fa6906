"""What readers of weights raise; whoever opens the file says where, and of which network."""


class UnreadableError(ValueError):
    """What was found in place of weights, in a few words."""
