"""Names that SMIC's releases share: cameras, emotions, clips."""

FRAME_RATES_HZ = {"HS": 100.0, "VIS": 25.0, "NIR": 25.0}
EMOTIONS = {"ne": "negative", "po": "positive", "sur": "surprise"}
"""By the letters in a clip's name."""


def plain_name(subject: str, kind: str, number: str) -> str:
    """Return a clip's name with two digits, as MEGC writes it."""
    return f"s{int(subject):02d}_{kind}_{int(number):02d}"
