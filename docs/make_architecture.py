"""Redraws the imports between the rooms in ``docs/architecture.md``."""

import re
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("architecture.md")
BLOCK = re.compile(r"^```\w+\n.*?^```$", re.MULTILINE | re.DOTALL)

if __name__ == "__main__":
    sys.path.insert(0, str(PAGE.parents[1] / "tests"))
    from test_architecture import pictures

    blocks = iter(pictures())
    text = BLOCK.sub(lambda _: next(blocks), PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
