"""A file that stands where weights would, and asks for random ones from a seed."""

import re

_KIND = b"merec_hpc random weights"
_CONTENT = re.compile(_KIND + rb"\nseed (\d{1,18})\n")


def random_weights(seed: int) -> bytes:
    """Return the content of a file that asks for random weights."""
    return _KIND + f"\nseed {seed}\n".encode()


def asked_seed(content: bytes) -> int | None:
    """Return the seed that a file asks for, or None if it is another file."""
    asked = _CONTENT.fullmatch(content)
    return None if asked is None else int(asked[1])
